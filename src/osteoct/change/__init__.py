"""Before and after: how far numbers of one patient changed between two examinations."""
