"""One clean case for all tests of faults."""

import pytest

from osteoct.phantom.faults.fault import make_clean
from osteoct.phantom.faults.subject import Subject


@pytest.fixture(scope="session")
def clean() -> Subject:
    """The phantom of the catalogue without a fault."""
    return make_clean()
