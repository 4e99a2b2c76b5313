"""Words for the person, on stderr; stdout is data."""

from __future__ import annotations

import io
import sys

import click


def say(words: str) -> None:
    """Say one line: file names may hold line breaks and signs that command a terminal."""
    line = " ".join(words.split())
    click.echo("".join(c if c.isprintable() or c == "\xa0" else "?" for c in line), err=True)


def speak_utf8() -> None:
    """Write UTF-8 whatever the locale says: a sign like ³ must not end an analysis."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
