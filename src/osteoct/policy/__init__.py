"""The policy: what each finding does, shipped as a data file and changed in the configuration."""
