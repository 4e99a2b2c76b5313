"""Report of a cohort: tables, text, HTML, PDF and a workbook, from the statistics' records."""
