"""From the results of a store to one tidy table; a failed case is a row with its reason."""
