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


def _made_by_the_code() -> dict[str, set[str]]:
    """Code and severities of each ``Finding(…)`` call of the package."""
    made: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Finding":
                given = {k.arg: ast.unparse(k.value) for k in node.keywords}
                severities = re.findall(r"Severity\.([A-Z]+)", given["severity"])
                made.setdefault(ast.literal_eval(given["code"]), set()).update(severities)
    return made


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
