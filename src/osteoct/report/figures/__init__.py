"""The report's pictures: records and arrays in, a matplotlib ``Figure`` out; no page, no files."""
