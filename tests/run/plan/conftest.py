"""Sources of cases made of small files."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from osteoct.run.plan.choices import make_choices
from osteoct.run.plan.opening import open_source

SECRET = b"a secret of sixteen bytes or more"


def _series_maker():
    """The maker of DICOM series that the tests of the reader use; test folders are no packages."""
    path = Path(__file__).parents[2] / "io" / "dicom" / "conftest.py"
    spec = importlib.util.spec_from_file_location("dicom_series_for_plans", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.Series


SERIES = _series_maker()


@pytest.fixture
def secret():
    """Key of pseudonyms."""
    return SECRET


@pytest.fixture
def study():
    """Write a small series of a study into a folder; tags name the study and what differs."""

    def write(folder, study_uid="1.2.3", change=lambda _ds, _n: None, **more):
        tags = {"StudyInstanceUID": study_uid, **more.pop("tags", {})}
        write_more = {k: more.pop(k) for k in ("skip", "name") if k in more}
        maker = SERIES(tags=tags, columns=4, rows=4, **more)
        return maker.write(folder, change, **write_more)

    return write


@pytest.fixture
def entries():
    """Everything that a source holds, and the source."""

    def read(root, **chosen):
        source = open_source(make_choices(root, **chosen), secret=SECRET)
        return list(source.entries()), source

    return read
