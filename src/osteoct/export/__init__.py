"""A finished case as tables, and in the formats of other programs."""
