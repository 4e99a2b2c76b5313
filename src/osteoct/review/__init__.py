"""A person's word on cases: the contact sheet, and the decisions that come back from it."""
