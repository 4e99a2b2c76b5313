"""CT from DICOM: finding series, choosing one, and reading it onto a regular grid in HU."""
