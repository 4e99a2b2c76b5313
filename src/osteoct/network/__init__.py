"""Archives of DICOM over a network: sending to them and fetching from them, when told to."""
