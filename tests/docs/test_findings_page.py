"""Every finding that the code can make is explained, and nothing else is."""

import ast
import re
from pathlib import Path

import osteoct

PACKAGE = Path(osteoct.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "findings.md"
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| ([a-z ]+) \| (?:case|level) \|", re.MULTILINE)


def _made_by_the_code() -> dict[str, set[str]]:
    """Code and severities of each ``Finding(…)`` call of the package."""
    made: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding":
                given = {k.arg: k.value for k in node.keywords}
                code = given["code"]
                assert isinstance(code, ast.Constant), f"{path.name}:{node.lineno}: no literal code"
                severities = re.findall(r"Severity\.([A-Z]+)", ast.unparse(given["severity"]))
                made.setdefault(code.value, set()).update(s.lower() for s in severities)
    return made


def test_page_lists_the_codes_and_severities_of_the_code():
    """A new, renamed or sharpened finding without a word on its page fails here."""
    page = PAGE.read_text(encoding="utf-8").partition("## Codes")[2]
    listed = {code: set(severity.split(" or ")) for code, severity in ROW.findall(page)}
    made = _made_by_the_code()
    assert len(made) > 20
    assert listed == made
