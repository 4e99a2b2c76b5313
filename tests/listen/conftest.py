"""Studies of a small phantom, a listener in a process of its own, and a real Orthanc."""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from pydicom import dcmread
from pydicom.uid import generate_uid
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage

from osteoct.phantom.small import write_small_patient
from osteoct.run.batch import open_batch
from osteoct.run.records import State

HERE = Path(__file__).parent
KEY = "a key for tests, not for patients"
TITLE = "SCANNER"
SECRETS = ("Secretname", "9842424217")


def network_conftest():
    """The module with the real Orthanc: the tests lie in no package."""
    spec = importlib.util.spec_from_file_location(
        "network_conftest", HERE.parent / "network" / "conftest.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", autouse=True)
def _sockets_are_left_open():
    """Have those that pynetdicom leaves to the garbage collector closed before other tests run."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def network():
    """The module with the real Orthanc."""
    return network_conftest()


@pytest.fixture(scope="session")
def patient(tmp_path_factory):
    """One small phantom as DICOM with its masks; studies are copies of it."""
    folder = tmp_path_factory.mktemp("patient")
    write_small_patient(folder, dicom=True, nifti=False)
    return folder


def copy_study(patient: Path, number: int, *, study: str | None = None):
    """The phantom's images as those of another person and study."""
    study, series, frame = study or generate_uid(), generate_uid(), generate_uid()
    images = []
    for path in sorted((patient / "ct-dicom").iterdir()):
        image = dcmread(path)
        image.PatientID, image.PatientName = f"{SECRETS[1]}{number}", f"{SECRETS[0]}^{number}"
        image.StudyInstanceUID, image.SeriesInstanceUID = study, series
        image.FrameOfReferenceUID = frame
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        images.append(image)
    return images


def write_images(images, folder: Path) -> Path:
    """Write images into a folder of their own."""
    folder.mkdir()
    for number, image in enumerate(images):
        image.save_as(folder / f"{number:03}.dcm", enforce_file_format=True)
    return folder


def files_below(folder: Path) -> list[Path]:
    """Whole files of a folder that another process writes to: what vanishes meanwhile is none."""
    found = [Path(top) / name for top, _, names in os.walk(folder) for name in names]
    return [path for path in found if ".part" not in str(path.relative_to(folder))]


def send_images(images, port, *, title=TITLE, called="OSTEOCT"):
    """C-STORE over one association; the statuses."""
    entity = AE(title)
    entity.dimse_timeout = entity.network_timeout = 5  # that of a sender whose listener is killed
    entity.add_requested_context(CTImageStorage, images[0].file_meta.TransferSyntaxUID)
    link = entity.associate("127.0.0.1", port, ae_title=called)
    assert link.is_established
    try:
        return [link.send_c_store(image).get("Status") for image in images]
    finally:
        link.release()


class Listening:
    """``osteoct listen`` in a process of its own, which may be killed and started again."""

    def __init__(self, store: Path, port: int, site: Path, masks: Path, *options: object) -> None:
        self.store, self.port, self.log = store, port, store.with_suffix(".log")
        self._options = [str(o) for o in options]
        search = [str(site), str(HERE), os.environ.get("PYTHONPATH", "")]
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(p for p in search if p),
            "OSTEOCT_KEY": KEY,
            "OSTEOCT_TEST_MASKS": str(masks),
            "OSTEOCT_DEBUG": "1",
        }
        self._process = None

    def start(self):
        """Start it, and wait until its port is open."""
        command = [sys.executable, "-m", "osteoct", "listen", "--port", str(self.port)]
        command += ["-o", str(self.store), "--allow", TITLE, "--allow", "ORTHANC"]
        command += ["--segmenter", "phantom-masks", "--progress", "none", *self._options]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
                command, env=self._environment, stdout=log, stderr=log
            )
        before = self.said.count("Listening as")
        self.wait(lambda: self.said.count("Listening as") > before)
        return self

    def kill(self):
        """End it as a power cut would, and the workers it leaves."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self, number=signal.SIGINT):
        """Ask it to end; the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(60)

    @property
    def said(self):
        """What it said since it was first started."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    @property
    def is_alive(self):
        return self._process.poll() is None

    def wait(self, is_so, seconds=90):
        """Wait until something is so."""
        deadline = time.monotonic() + seconds
        while not is_so():
            if not self.is_alive or time.monotonic() > deadline:
                pytest.fail(f"it never came to that:\n{self.said[-3000:]}")
            time.sleep(0.05)


def make_site(folder: Path) -> Path:
    """The phantom's segmenter installed as any package would install one."""
    info = folder / "phantom_masks-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: phantom-masks\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[osteoct.segmenters]\nphantom-masks = phantom_masks:PhantomMasksSegmenter\n"
    )
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Where the phantom's segmenter is installed."""
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def listen(network, site, patient, tmp_path):
    """Starts listeners, and ends them with the test."""
    made = []

    def start(*options, port=None):
        listener = Listening(
            tmp_path / "store",
            port or network.free_port(),
            site,
            patient / "masks.nii.gz",
            *options,
        )
        made.append(listener)
        return listener.start()

    yield start
    for listener in made:
        if listener.is_alive:
            listener.kill()


def ask(orthanc, path, body=None):
    """Orthanc's REST interface."""
    data = None if body is None else json.dumps(body).encode()
    address = f"http://127.0.0.1:{orthanc.http}{path}"
    with urllib.request.urlopen(address, data=data, timeout=60) as told:
        return json.load(told)


@pytest.fixture(scope="session")
def orthanc(network, tmp_path_factory):
    """A server of these tests' own, as they stop it."""
    if shutil.which("Orthanc") is None:
        pytest.skip("Orthanc is not installed: apt-get install orthanc orthanc-dicomweb")
    server = network.Orthanc(tmp_path_factory.mktemp("orthanc"))
    server.start()
    yield server
    server.stop()


def status_of(listener):
    """What ``osteoct status`` says beside the listener."""
    from osteoct.cli import main  # noqa: PLC0415 -- beside its only use

    return CliRunner().invoke(main, ["status", str(listener.store)]).output


def attempts_of(listener):
    """Attempts that were made at each case that has a result."""
    with open_batch(str(listener.store)) as batch:
        rows = list(batch.ledger.rows())
        assert {row.state for row in rows} == {State.DONE}
        return [sum(a.end == "done" for a in batch.ledger.attempts(r.case_id)) for r in rows]


@pytest.fixture
def lab():
    """The makers above, reachable from tests without importing a conftest."""
    return SimpleNamespace(
        copy_study=copy_study,
        send_images=send_images,
        ask=ask,
        status=status_of,
        write=write_images,
        files=files_below,
        attempts_with_result=attempts_of,
        secrets=SECRETS,
    )
