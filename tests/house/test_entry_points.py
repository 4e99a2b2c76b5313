"""What the README tells a newcomer to type exists."""

import ast
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SESSION = re.compile(r"nox\"? (?:-s|--session) ([a-z ]+)")


def _sessions() -> set[str]:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and "nox.session" in {ast.unparse(d) for d in node.decorator_list}
    }


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_named_sessions_exist(file):
    """A session renamed in the noxfile would leave the first command a newcomer types dead."""
    text = (ROOT / file).read_text(encoding="utf-8")
    named = {name for match in SESSION.findall(text) for name in match.split()}
    assert named
    assert named <= _sessions()


def test_first_screen_has_the_two_commands_on_one_line_each():
    """The whole set-up is one line for the main job and one for the tests."""
    screen = README.splitlines()[:40]
    for session in ("demo", "tests"):
        (line,) = [x for x in screen if x.endswith(f"nox -s {session}")]
        assert line.startswith("python3 -m venv .venv && ")
    assert "osteoct-demo/report.html" in "\n".join(screen)


def test_ci_script_is_executable():
    """The file is run, not read by a shell that is named."""
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_links_of_the_readme_lead_somewhere():
    """Relative links only: each is a file of this repository."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", README)
    local = [link for link in links if "://" not in link]
    assert local
    for link in local:
        assert (ROOT / link).exists(), link
