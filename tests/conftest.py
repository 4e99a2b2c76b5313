"""Fixtures shared by many tests."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell starts its background jobs deaf to Ctrl-C, and what they start would be deaf as well
    signal.signal(signal.SIGINT, signal.default_int_handler)

# numpy's own threads wait for each other by spinning: beside other test processes that is most of
# their time. Set before numpy is imported; processes that tests start inherit it
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

DATA = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture(autouse=True)
def _no_fetching(monkeypatch):
    """No test fetches weights from where they are published."""
    monkeypatch.setenv("OSTEOCT_OFFLINE", "1")


@pytest.fixture(autouse=True)
def _no_width(monkeypatch):
    """The runner tells its processes a width, which would wrap what they print."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images, which lies beside the repository and never inside it."""
    if not DATA.is_dir():
        pytest.skip("real images are not here: ../shared/data is missing")
    return DATA
