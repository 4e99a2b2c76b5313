"""What a developer runs: each session makes its own environment, nothing is installed by hand.

``nox`` runs lint, types, docs and tests; ``nox -s demo`` runs the main job.
"""

from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "docs", "tests"]

EXTRAS = nox.project.load_toml("pyproject.toml")["project"]["optional-dependencies"]
QUIET = ("--quiet", "--disable-pip-version-check")
SCHEMA = "src/osteoct/schemas/osteoct.case-1.json"


@nox.session
def demo(session: nox.Session) -> None:
    """Install osteoct and analyse the digital spine it makes; see osteoct-demo/report.html."""
    session.install(*QUIET, ".")
    session.run("osteoct", "demo", "--overwrite", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Install the wheel, as a user gets it, and test that."""
    session.install(*QUIET, ".[test]")
    arguments = session.posargs or ("--numprocesses", "2", "--dist", "loadgroup")
    session.run("python", "-m", "pytest", *arguments)


@nox.session
def coverage(session: nox.Session) -> None:
    """The same tests with the lines and branches that none of them reaches; takes longer."""
    session.install(*QUIET, ".[test]")
    arguments = session.posargs or ("--numprocesses", "2", "--dist", "loadgroup")
    session.run("python", "-m", "pytest", "--cov", "--cov-report", "term", *arguments)


@nox.session
def segmentation(session: nox.Session) -> None:
    """Install the real TotalSegmentator for the CPU and test on it, with stand-in weights."""
    session.install(
        *QUIET, "--constraint", "constraints.txt", ".[test,contrast-phase,spine-segment]"
    )
    # one after the other: a network takes all cores, and two of them only wait for each other
    session.run("python", "-m", "pytest", "-m", "totalsegmentator", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format and the direction of imports; reads the source, installs no dependency."""
    session.install(*QUIET, *(r for r in EXTRAS["lint"] if r.startswith(("ruff", "import-linter"))))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", env={"PYTHONPATH": "src"})


@nox.session
def types(session: nox.Session) -> None:
    """Types of the whole package, strictly, those of highdicom included."""
    session.install(*QUIET, ".[lint,dicom]")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the pages into site/; a broken link or an unfilled table fails."""
    session.install(*QUIET, ".[docs]")
    session.run("mkdocs", "build", "--strict", "--quiet", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def schema(session: nox.Session) -> None:
    """Write the JSON Schema of a case anew after a change of the records."""
    session.install(*QUIET, ".")
    make = "from osteoct.schemas.case import render_case_schema as r; print(r(), end='')"
    text = session.run("python", "-c", make, silent=True)
    Path(SCHEMA).write_text(str(text), encoding="utf-8")
