"""Finding the cases of a batch: each source is a stream, however large, and each case has a key."""
