"""JSON Schema of what osteoct writes, shipped with the package."""
