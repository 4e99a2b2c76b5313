"""A case as PDF: what the page says, on one or two sheets of A4."""
