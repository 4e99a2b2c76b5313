"""Where vertebra masks come from: one interface, and the segmenters behind it."""
