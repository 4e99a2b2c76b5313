"""Published cut-offs as data, and what each says of a case."""
