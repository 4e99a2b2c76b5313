"""Faults of every kind at three strengths, on phantoms and real cases, and what finds them."""
