"""The data sets of ``golden/`` and R's answers; see ``golden/make_golden.R``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent / "golden"
NAMES = ("plain", "ties", "tiny", "separated", "constant", "uneven")
TOLERANCE = 1e-6


@cache
def results() -> dict[str, Any]:
    """Everything R said."""
    return json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))


def data(name: str) -> pd.DataFrame:
    """One data set with R's column names."""
    sets = json.loads((FOLDER / "datasets.json").read_text(encoding="utf-8"))
    return pd.DataFrame(sets[name])


def cohort(name: str) -> pd.DataFrame:
    """One data set in the shape of ``cohort.csv``: marker a is trabecular, b is cortical HU."""
    d = data(name)
    return pd.DataFrame(
        {
            "sex": np.where(d["female"] == 1, "F", "M"),
            "age": d["age"],
            "bmi": d["bmi"],
            "t_lumbar": d["t"],
            "trabecular_hu": d["a"],
            "cortical_hu": d["b"],
        }
    )
