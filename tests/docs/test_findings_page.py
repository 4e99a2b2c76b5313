"""Every finding that the code can make is explained, and nothing else is."""

import ast
import re
from pathlib import Path

import osteoct

PACKAGE = Path(osteoct.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "findings.md"
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| ([a-z ]+) \| (?:case|level) \|", re.MULTILINE)


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
                assert isinstance(code, ast.Constant), f"{path.name}: no literal code"
                made.setdefault(code.value, set()).update(s.lower() for s in severities)
    return made


def _calls_of(name: str, tree: ast.AST) -> list[dict[str | None, ast.expr]]:
    """What is given by name in each call of a class."""
    return [
        {k.arg: k.value for k in node.keywords}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name
    ]


def _codes_of(code: ast.expr, tree: ast.AST) -> list[ast.expr]:
    """The code itself or, where it is that of a row, the codes of the table beside the call."""
    rows = [given["code"] for given in _calls_of(ROWS, tree)]
    return rows if isinstance(code, ast.Attribute) and rows else [code]


def test_page_lists_the_codes_and_severities_of_the_code():
    """A new, renamed or sharpened finding without a word on its page fails here."""
    page = PAGE.read_text(encoding="utf-8").partition("## Codes")[2]
    listed = {code: set(severity.split(" or ")) for code, severity in ROW.findall(page)}
    made = _made_by_the_code()
    assert len(made) > 20
    assert listed == made
