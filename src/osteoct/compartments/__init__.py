"""Regions inside a vertebra: depth in mm, body, core and shell, axial ellipse, own axes."""
