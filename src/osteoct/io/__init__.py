"""Files in and out: DICOM, NIfTI, NRRD, MetaImage, label maps, pseudonyms, atomic writing."""
