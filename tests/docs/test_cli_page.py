"""The page of the command line lists the commands and options that exist."""

import re
from pathlib import Path

import click
import pytest

from osteoct.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## osteoct (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
CONTEXT = click.Context(main)
COMMANDS = main.list_commands(CONTEXT)


def test_page_lists_the_commands_in_order():
    """An undocumented command is one nobody finds."""
    assert list(SECTIONS) == list(COMMANDS)


def test_readme_lists_the_commands():
    """The README's table is the first list a user sees."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `osteoct (\w+)", readme, re.MULTILINE)
    assert listed == list(COMMANDS)


def parameters(command):
    """The parameters of a command, or of every command of a group, at any depth."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return [*command.params, *(p for c in below for p in parameters(c))]


@pytest.mark.parametrize("name", COMMANDS)
def test_page_lists_the_options(name):
    """Options come and go with the code; the page must not promise one that is gone."""
    command = main.get_command(CONTEXT, name)
    options = {o for p in parameters(command) if isinstance(p, click.Option) for o in p.opts}
    listed = set(
        re.findall(
            r"`(--?[a-z-]+)`", "\n".join(re.findall(r"^\| `-.*$", SECTIONS[name], re.MULTILINE))
        )
    )
    assert listed == options


def test_usage_names_the_commands_of_a_group():
    """``weights`` does nothing by itself."""
    usage = SECTIONS["weights"].strip().splitlines()[0]
    for name in main.get_command(CONTEXT, "weights").commands:
        assert name in usage


@pytest.mark.parametrize("name", COMMANDS)
def test_usage_names_the_arguments(name):
    """The usage line holds the command's arguments, in capitals as in its help."""
    command = main.get_command(CONTEXT, name)
    usage = SECTIONS[name].strip().splitlines()[0]
    for parameter in parameters(command):
        if isinstance(parameter, click.Argument):
            assert parameter.human_readable_name.upper() in usage
