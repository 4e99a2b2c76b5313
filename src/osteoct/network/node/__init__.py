"""A DICOM node that receives CT: studies on disk before they are answered for."""
