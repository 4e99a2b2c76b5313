"""House rules that no linter of ours checks."""

import ast
from pathlib import Path

import pytest

import osteoct

PACKAGE = Path(osteoct.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = [
    p for p in MODULES if p.name == "__init__.py" and p.parent.name not in {"osteoct", "cli"}
]
LINES_AT_MOST = 400
WORDS_FOR_ANYTHING = {"utils", "util", "helpers", "helper", "misc", "common", "manager"}


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _calls(tree: ast.AST) -> set[str]:
    """Names of everything called, such as ``print`` or ``sys.exit``."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_there_is_something_to_check():
    """An empty list of modules would pass every rule below."""
    assert len(MODULES) > 10


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_only_the_command_line_prints_and_exits(path):
    """A library that prints or exits cannot be used inside another program."""
    found = _calls(ast.parse(path.read_text(encoding="utf-8")))
    found &= {"print", "sys.exit", "exit", "quit", "os._exit", "logging.basicConfig", "click.echo"}
    assert not found or path.relative_to(PACKAGE).parts[0] == "cli"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_file_is_short_and_named_for_what_it_holds(path):
    """One concept per small file; a file for anything becomes a file of everything."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_AT_MOST
    assert path.stem not in WORDS_FOR_ANYTHING


@pytest.mark.parametrize("path", FOLDERS, ids=_name)
def test_package_files_hold_a_docstring_and_no_imports(path):
    """An import in ``__init__`` would make every module of the folder cost what the worst costs."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert ast.get_docstring(ast.Module(body=body, type_ignores=[]))
    assert not [n for n in body if isinstance(n, ast.Import | ast.ImportFrom)]


def test_data_files_are_shipped():
    """The tests run against the installed package: a file missing from the wheel shows here."""
    for name in (
        "py.typed",
        "classify/rules.toml",
        "policy/policy.toml",
        "schemas/osteoct.case-1.json",
        "review/templates/sheet.html.j2",
    ):
        assert (PACKAGE / name).is_file()
