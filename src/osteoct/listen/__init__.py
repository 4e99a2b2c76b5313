"""A node that studies are sent to: each is analysed once and its results are sent on once."""
