"""The policy has an entry for every finding that the code can make, each with its tests."""

import ast
import re
from pathlib import Path

import pytest

import osteoct
from osteoct.policy.entries import load_entries

ROOT = Path(__file__).parents[2]
PACKAGE = Path(osteoct.__file__).parent
PAGE = (ROOT / "docs" / "reference" / "findings.md").read_text(encoding="utf-8")
ENTRIES = load_entries()


ROWS = "MixupWords"
"""A record whose table words several findings; one ``Finding(…)`` call beside it makes them all."""


def _made_by_the_code() -> dict[str, set[str]]:
    """Code and severities of each ``Finding(…)`` call of the package."""
    made: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for given in _calls_of("Finding", tree):
            severities = re.findall(r"Severity\.([A-Z]+)", ast.unparse(given["severity"]))
            for code in _codes_of(given["code"], tree):
                made.setdefault(code, set()).update(severities)
    return made


def _calls_of(name: str, tree: ast.AST) -> list[dict[str | None, ast.expr]]:
    """What is given by name in each call of a class."""
    return [
        {k.arg: k.value for k in node.keywords}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name
    ]


def _codes_of(code: ast.expr, tree: ast.AST) -> list[str]:
    """A literal, or the literals of the table beside the call."""
    if not isinstance(code, ast.Attribute):
        return [ast.literal_eval(code)]
    found = [ast.literal_eval(given["code"]) for given in _calls_of(ROWS, tree)]
    assert found, ast.unparse(code)
    return found


def test_every_code_and_severity_has_its_effect():
    """A finding that the policy does not know would do what nobody decided."""
    made = _made_by_the_code()
    assert len(made) > 50
    assert {c: {s.name for s in e.effects} for c, e in ENTRIES.items()} == made


@pytest.mark.parametrize("code", ENTRIES)
def test_the_named_tests_exist(code):
    """One in which the finding fires, one in which it does not; a renamed test fails here."""
    for node in (ENTRIES[code].fires, ENTRIES[code].silent):
        file, _, name = node.partition("::")
        assert (ROOT / file).is_file(), node
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), node


def test_the_policy_and_the_page_agree_what_findings_are_about():
    """The page says case or level, and the policy decides by it."""
    listed = dict(
        re.findall(r"^\| `([a-z0-9-]+)` \| [a-z ]+ \| (case|level) \|", PAGE, re.MULTILINE)
    )
    assert {code: entry.about for code, entry in ENTRIES.items()} == listed
