"""Figures of a cohort: records in, matplotlib figures out."""
