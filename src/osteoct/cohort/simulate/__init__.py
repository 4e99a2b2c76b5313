"""Synthetic cohorts, drawn to the published moments of the study."""
