"""Models of the shape of the real ones and a millionth of their size, and a catalogue of them.

Run as a script it is the command ``osteoct`` with that catalogue:
``python small_models.py CATALOGUE.json weights list``.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

from osteoct.segment.weights import catalogue
from osteoct.segment.weights.catalogue import SOURCES

DOWNLOADS = {d.folder: d for s in SOURCES for d in s.downloads}
LOCATE = "Dataset298_TotalSegmentator_total_6mm_1559subj"
VERTEBRAE = "Dataset292_TotalSegmentator_part2_vertebrae_1532subj"
BODIES = "Dataset305_vertebrae_discs_1559subj"
THREE_MM = "Dataset297_TotalSegmentator_total_3mm_1559subj"
BEST = (LOCATE, VERTEBRAE, BODIES)


def make_files(folder, *, seed=0, size=200_000):
    """The files of a model: JSON texts, and noise in a zip archive as checkpoints are."""
    noise = random.Random(f"{folder}{seed}").randbytes(size)  # noqa: S311 - no secret
    files = {}
    for name in DOWNLOADS[folder].needed:
        data = json.dumps({"seed": seed}).encode() if name.endswith(".json") else noise
        if name.endswith(".pth"):
            checkpoint = io.BytesIO()
            with zipfile.ZipFile(checkpoint, "w") as file:
                file.writestr(zipfile.ZipInfo("archive/data.pkl"), noise)
            data = checkpoint.getvalue()
        files[name] = data
    return files


def pack(folder, files):
    """An archive with the model's folder in it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), data)
    return made.getvalue()


def make_archive(folder, *, seed=0, size=200_000):
    """The archive of a model."""
    return pack(folder, make_files(folder, seed=seed, size=size))


def path_of(folder):
    """Where its archive lies on every mirror."""
    return "/" + DOWNLOADS[folder].url.split("/", 3)[3]


def describe(archives, *, known=()):
    """What a catalogue of these archives would say: sizes, and hashes of those in ``known``."""
    return {
        folder: {
            "archive_bytes": len(data),
            "archive_sha256": hashlib.sha256(data).hexdigest() if folder in known else None,
            "source": "a test" if folder in known else None,
        }
        for folder, data in archives.items()
    }


def make_sources(told):
    """The shipped catalogue with what is told of some models in place of what is known."""
    blank = {"sha256": {}, "archive_sha256": None, "source": None}
    return tuple(
        replace(
            source,
            downloads=tuple(
                replace(d, **(blank | told[d.folder])) if d.folder in told else d
                for d in source.downloads
            ),
        )
        for source in SOURCES
    )


if __name__ == "__main__":
    catalogue.SOURCES = make_sources(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    from osteoct.cli import main

    main(sys.argv[2:], prog_name="osteoct")
