"""The cohort against DXA: tables in, statistics, figures and a report out; never an image."""
