"""From the results of a store to one tidy table, in which a failed case is a row with its reason."""
