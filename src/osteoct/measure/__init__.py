"""HU statistics, volumes, heights; one level, one case."""
