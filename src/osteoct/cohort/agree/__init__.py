"""Agreement of two methods on the same patients, and of repeated scans of one patient."""
