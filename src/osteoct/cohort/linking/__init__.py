"""Joins results of CTs with DXA scans of the same patients; who stays out has a reason."""
