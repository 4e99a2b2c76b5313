"""The ``osteoct`` command: the only place that prints, exits or configures logging."""

from osteoct.cli.app import main

__all__ = ["main"]
