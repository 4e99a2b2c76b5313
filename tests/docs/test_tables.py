"""The tables that the pages are filled with hold what the code holds."""

import importlib.util
import re
from pathlib import Path

import pytest

from osteoct.anatomy import SCHEMES
from osteoct.classify.doubts import grey_zone
from osteoct.classify.rules import load_rules
from osteoct.export.tables import FINDING_COLUMNS, LEVEL_COLUMNS
from osteoct.io.report_fields import private_concepts
from osteoct.policy.entries import load_entries
from osteoct.protocols import PROTOCOLS
from osteoct.records import Reason

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


@pytest.fixture(scope="module")
def tables():
    """The build's own hook, loaded by path as mkdocs does."""
    spec = importlib.util.spec_from_file_location("tables_hook", DOCS / "hooks" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _page(tables, name):
    return tables.on_page_markdown((DOCS / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("reference/protocols.md", list(PROTOCOLS)),
        ("reference/rules.md", [rule.id for rule in load_rules()]),
        ("reference/policy.md", list(load_entries())),
        ("reference/label-schemes.md", list(SCHEMES)),
        ("reference/dicom-objects.md", [concept.value for concept in private_concepts()]),
        ("reference/files.md", [*LEVEL_COLUMNS, *FINDING_COLUMNS, *Reason]),
    ],
)
def test_page_holds_every_entry(tables, name, wanted):
    """What can occur in a result can be looked up."""
    page = _page(tables, name)
    for entry in wanted:
        assert f"`{entry}`" in page


def test_every_mark_is_filled(tables):
    """A misspelt table name would leave a hole in the page."""
    marked = [p for p in PAGES if "<!-- table:" in p.read_text(encoding="utf-8")]
    assert len(marked) >= 4
    for path in marked:
        assert "<!-- table:" not in _page(tables, path)


def test_unknown_table_is_a_failure(tables):
    """The build stops instead of showing nothing."""
    with pytest.raises(KeyError):
        tables.on_page_markdown("<!-- table: no-such -->")


def test_cells_cannot_break_the_table(tables):
    """A bar inside a cell would shift every column after it."""
    assert tables.make_table(["a"], [["x|y"], [None]]).splitlines()[2:] == ["| x\\|y |", "|  |"]


def test_every_number_of_case_json_has_its_unit(tables):
    """Fields that end in a unit show it."""
    page = tables.case_tables()
    for field, unit in [("height_middle_mm", "mm"), ("volume_cm3", "cm³"), ("mean_hu", "HU")]:
        assert re.search(rf"^\| `{field}` \| .* \| {unit} \|$", page, re.MULTILINE)


def test_grey_zones_on_the_page_are_those_applied():
    """The page of classification prints the zones: a changed fraction must change them."""
    page = (DOCS / "explanation" / "classification.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\d.]+) HU \| ([\d.]+) – ([\d.]+) HU \|$", page, re.MULTILINE)
    shown = {float(c): (float(low), float(high)) for c, low, high in rows}
    assert set(shown) == {r.cutoff for r in load_rules() if r.protocol}
    for cutoff, zone in shown.items():
        assert zone == tuple(round(limit, 1) for limit in grey_zone(cutoff))
