"""Joins results of CTs with DXA scans of the same patients; every row that stays out has a reason."""
