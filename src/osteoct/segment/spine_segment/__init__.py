"""spine-segment behind the interface; only ``worker`` imports it, in its own process."""
