"""Tables of a finished case."""
