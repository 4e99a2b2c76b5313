"""Where workers live: processes of this machine, or actors of a cluster."""
