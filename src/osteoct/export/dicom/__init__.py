"""DICOM objects made from a finished case."""
