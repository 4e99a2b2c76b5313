"""Trained models on this machine: fetched once, checked, recorded, and carried in one file."""
