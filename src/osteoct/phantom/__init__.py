"""Digital spine phantoms with known truth."""
