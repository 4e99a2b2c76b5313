"""The process in which spine-segment runs: ``python -m`` this module, with a private folder.

It is the only place that knows the package and torch, and imports both by name.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final

from osteoct.segment.isolation.worker import Tell, choose_device, serve
from osteoct.segment.spine_segment.stages import Listener

NOTHING_FOUND: Final = "found no valid"
"""Of version 0.1.6: 'found no valid bounding boxes', 'found no valid landmarks'."""

CPU: Final = "cpu"


class Worker:
    """Does one CT after another; the models are loaded with the first."""

    def __init__(self) -> None:
        self._backend: Any = None

    def __call__(self, job: dict[str, Any], folder: Path, tell: Tell) -> dict[str, Any]:
        """Run the package on one CT; leave its files in the folder and return their names."""
        listener = Listener(tell, sys.stdout)  # type: ignore[arg-type]  # typeshed: TextIO
        listener.begin("start")
        device = choose_device(job["device"])
        with redirect_stdout(listener):
            found = self._segment(job, folder, device)
        listener.begin(None)
        return {
            **found,
            "device": device,
            "seconds": listener.seconds,
            "patches": listener.patches,
        }

    def _segment(self, job: dict[str, Any], folder: Path, device: str) -> dict[str, Any]:
        """The package's own function: names of its files, or why it found no vertebra."""
        failure = importlib.import_module("spine_segment").SpineSegmentBackendError
        if self._backend is None:
            self._backend = make_backend(job)
        try:
            made = importlib.import_module("spine_segment.api").segment_file(
                folder / job["ct"],
                folder,
                backend=self._backend,
                device=select_device(device),
            )
        except failure as error:
            if NOTHING_FOUND in str(error):
                return {"files": None, "why": str(error)}
            raise
        paths = made.output_paths
        return {"files": [paths.vertebral_level.name, paths.process_body.name]}


def make_backend(job: dict[str, Any]) -> Any:  # noqa: ANN401 - the package's own
    """Return the package's networks on the weights that are named, or the backend that is.

    A folder given by name keeps the package from looking for one, and from fetching it.
    """
    if job["backend"] is not None:
        return importlib.import_module("spine_segment").load_backend(job["backend"])
    native = importlib.import_module("spine_segment.native_torch_backend")
    return native.create_backend(Path(job["bundle"]), allow_download=False)


def select_device(device: str) -> str:
    """Return the package's name of a device; it knows one GPU, the current one."""
    if device == CPU:
        return CPU
    importlib.import_module("torch").cuda.set_device(int(device.partition(":")[2]))
    return "cuda"


if __name__ == "__main__":
    serve(Worker())
