"""Small series, a real Orthanc on loopback, and real nodes of pynetdicom in this process."""

from __future__ import annotations

import contextlib
import gc
import http.server
import json
import re
import select
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    SegmentationStorage,
    generate_uid,
)
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
)

from osteoct.network.address import parse_address
from osteoct.network.link import Link

SECRETS = ("Secretname", "9842424217", "19420424")


def make_series(folder, *, images=4, day="20260102", study=None, sop_class=CTImageStorage, side=8):
    """A CT series of few pixels; returns the UID of its study."""
    folder.mkdir(parents=True)
    study, series = study or generate_uid(), generate_uid()
    for n in range(images):
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = sop_class
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        ds.StudyInstanceUID, ds.SeriesInstanceUID = study, series
        ds.Modality, ds.StudyDate, ds.StudyID, ds.SeriesNumber = "CT", day, "1", 1
        ds.PatientName, ds.PatientID, ds.PatientBirthDate = "Secretname^A", SECRETS[1], SECRETS[2]
        ds.StudyDescription, ds.BodyPartExamined = "Secretname lumbar spine", "LSPINE"
        ds.InstanceNumber = n
        ds.Rows = ds.Columns = side
        ds.BitsAllocated = ds.BitsStored = 16
        ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel = 15, 0, 1
        ds.PhotometricInterpretation = "MONOCHROME2"
        ds.PixelData = np.full((side, side), n, np.uint16).tobytes()
        ds.save_as(folder / f"{n:03}.dcm", enforce_file_format=True)
    return study


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def link_to(address, **choices):
    """Impatient: a test waits for nobody."""
    given = {"timeout_s": 10.0, "attempts": 2, "first_wait_s": 0.01} | choices
    return Link(address=parse_address(address, option="--to"), **given)


class Orthanc:
    """A server of Debian's package; it can be stopped, killed and started again."""

    def __init__(self, folder: Path, **more) -> None:
        self.folder, self.http, self.port, self.move = folder, *(free_port() for _ in range(3))
        plugins = Path("/usr/share/orthanc/plugins")
        settings = {
            "StorageDirectory": str(folder / "db"),
            "IndexDirectory": str(folder / "db"),
            "HttpPort": self.http,
            "DicomPort": self.port,
            "DicomAet": "ORTHANC",
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowMove": True,
            "DicomAlwaysAllowFind": True,
            "DicomModalities": {"us": ["OSTEOCT", "127.0.0.1", self.move]},
            "Plugins": [str(plugins / "libOrthancDicomWeb.so")],
        } | more
        (folder / "orthanc.json").write_text(json.dumps(settings))
        self._process = None

    @property
    def node(self):
        return f"ORTHANC@127.0.0.1:{self.port}"

    @property
    def web(self):
        return f"http://127.0.0.1:{self.http}/dicom-web"

    def start(self):
        self._process = subprocess.Popen(  # noqa: S603 -- the program found below
            [shutil.which("Orthanc"), str(self.folder / "orthanc.json")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.http), 2).close()
                socket.create_connection(("127.0.0.1", self.port), 2).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        pytest.fail("Orthanc does not answer")

    def kill(self):
        """As a power cut does: it cannot say goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def count(self):
        """Instances it keeps."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/statistics", timeout=2) as told:
            return json.load(told)["CountInstances"]


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory):
    """One server for all tests; what each sends has UIDs of its own."""
    if shutil.which("Orthanc") is None:
        pytest.skip("Orthanc is not installed: apt-get install orthanc orthanc-dicomweb")
    server = Orthanc(tmp_path_factory.mktemp("orthanc"))
    server.start()
    yield server
    server.kill()  # stopping takes seconds, and nobody asks for its data again


class Wire:
    """The way to a port of this machine, with TLS on the near side where a context is given.

    It can be cut in the middle of an answer, as networks, proxies and servers that fall do.
    """

    def __init__(self, port, context=None):
        self.asked, self._cuts_at, self._on_cut = [], None, lambda: None
        self._target, self._context, self._passed = port, context, 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, passed, then=lambda: None):
        """Once, when so many bytes of answers have passed from now on."""
        self._passed, self._cuts_at, self._on_cut = 0, passed, then

    def close(self):
        self._server.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, plain):
        """One connection to its end; what is sent through a cut is lost, as everywhere."""
        with contextlib.suppress(OSError), plain, contextlib.ExitStack() as held:
            near = plain
            if self._context is not None:
                near = held.enter_context(self._context.wrap_socket(plain, server_side=True))
            far = held.enter_context(socket.create_connection(("127.0.0.1", self._target), 5))
            while True:
                waits = getattr(near, "pending", int)()
                ready = [near] if waits else select.select([near, far], [], [])[0]
                for end in ready:
                    data = end.recv(16384)
                    if not data or (end is far and self._is_cut(len(data))):
                        return
                    self.asked += re.findall(rb"(?:GET|POST) (\S+) HTTP", data)
                    (far if end is near else near).sendall(data)

    def _is_cut(self, size):
        self._passed += size
        if self._cuts_at is None or self._passed <= self._cuts_at:
            return False
        self._cuts_at = None
        self._on_cut()
        return True


@pytest.fixture
def make_wire():
    """Wires that end with the test."""
    made = []

    def make(port, context=None):
        made.append(Wire(port, context))
        return made[-1]

    yield make
    for wire in made:
        wire.close()


class Node:
    """A node of pynetdicom that keeps what it gets; a test may make it misbehave."""

    def __init__(self, *, offers_find=True, tls=None):
        self.kept, self.received, self.breaks_after, self.status = {}, [], None, 0x0000
        entity = AE("NODE")
        entity.require_called_aet = True
        for uid in (CTImageStorage, SegmentationStorage):
            entity.add_supported_context(uid, ExplicitVRLittleEndian, scu_role=True, scp_role=True)
        if offers_find:
            entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        entity.add_supported_context(StudyRootQueryRetrieveInformationModelGet)
        handlers = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_GET, self._get),
        ]
        self.server = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=tls
        )
        self.address = f"NODE@127.0.0.1:{self.server.server_address[1]}"

    def _store(self, event):
        if self.breaks_after is not None and len(self.received) >= self.breaks_after:
            self.breaks_after = None
            event.assoc.abort()
            return 0x0000
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        self.received.append(dataset.SOPInstanceUID)
        if self.status < 0xA000 or self.status >= 0xB000:
            self.kept[dataset.SOPInstanceUID] = dataset
        return self.status

    def _matching(self, question):
        keys = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
        asked = {key: question.get(key) for key in keys if question.get(key)}
        return [
            d
            for d in self.kept.values()
            if all(d.get(k) in (v if isinstance(v, MultiValue) else [v]) for k, v in asked.items())
        ]

    def _find(self, event):
        names = [e.keyword for e in event.identifier if e.keyword != "QueryRetrieveLevel"]
        seen = set()
        for dataset in self._matching(event.identifier):
            answer = Dataset()
            for name in names:
                setattr(answer, name, "CT" if name == "ModalitiesInStudy" else dataset.get(name))
            if answer.to_json() not in seen:
                seen.add(answer.to_json())
                yield 0xFF00, answer

    def _get(self, event):
        found = self._matching(event.identifier)
        yield len(found)
        for n, dataset in enumerate(found):
            if self.breaks_after is not None and n >= self.breaks_after:
                self.breaks_after = None
                event.assoc.abort()
                return
            yield 0xFF00, dataset


@pytest.fixture(scope="module", autouse=True)
def _sockets_are_left_open():
    """Have those that pynetdicom leaves to the garbage collector closed before other tests run."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def make_node():
    """Nodes that end with the test."""
    made = []

    def make(**options):
        made.append(Node(**options))
        return made[-1]

    yield make
    for node in made:
        node.server.shutdown()


@pytest.fixture(scope="session")
def papers(tmp_path_factory):
    """Certificates: of an authority, a server, a client, and clients that nobody takes."""
    folder = tmp_path_factory.mktemp("papers")

    def run(*words):
        words = ["openssl", *words]
        subprocess.run(words, cwd=folder, check=True, capture_output=True)  # noqa: S603 -- openssl

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for name in ("ca", "stranger"):
        out = ["-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}"]
        run("req", "-x509", *key, "-days", "2", *out)
    names = "DNS:localhost,DNS:pacs.example,IP:127.0.0.1,IP:0.0.0.0"
    (folder / "server.ext").write_text(f"subjectAltName={names}\n")
    (folder / "elsewhere.ext").write_text("subjectAltName=DNS:elsewhere.example\n")
    signed = [("server", "ca", 2), ("elsewhere", "ca", 2), ("late", "ca", -1)]
    signed += [("client", "ca", 2), ("expired", "ca", -1), ("unknown", "stranger", 2)]
    (folder / "late.ext").write_text(f"subjectAltName={names}\n")
    for name, by, days in signed:
        run("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        extra = ["-extfile", f"{name}.ext"] if (folder / f"{name}.ext").exists() else []
        issuer = ["-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-days", str(days)]
        run("x509", "-req", "-in", f"{name}.csr", *issuer, "-out", f"{name}.pem", *extra)
    return folder


@pytest.fixture(scope="session")
def guarded(tmp_path_factory, papers):
    """A server that wants a certificate over DICOM, and a password over HTTP."""
    if shutil.which("Orthanc") is None:
        pytest.skip("Orthanc is not installed: apt-get install orthanc orthanc-dicomweb")
    server = Orthanc(
        tmp_path_factory.mktemp("guarded"),
        DicomTlsEnabled=True,
        DicomTlsCertificate=str(papers / "server.pem"),
        DicomTlsPrivateKey=str(papers / "server.key"),
        DicomTlsTrustedCertificates=str(papers / "ca.pem"),
        AuthenticationEnabled=True,
        RegisteredUsers={"reader": "open-sesame-42"},
    )
    server.start()
    yield server
    server.kill()  # stopping takes seconds, and nobody asks for its data again


@pytest.fixture
def make():
    """The makers above, reachable from tests without importing a conftest."""
    return SimpleNamespace(
        series=make_series, link=link_to, port=free_port, secrets=SECRETS, orthanc=Orthanc
    )


@pytest.fixture
def serve():
    """An HTTP server that gives one answer to whatever it is asked."""
    servers = []

    def start(
        status=200, body=b"", kind="application/dicom+json", context=None, lacks=0, **headers
    ):
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append((self.path, dict(self.headers)))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body) + lacks))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 -- the library's names

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        scheme = "http" if context is None else "https"
        host = "127.0.0.1" if context is None else "localhost"
        return SimpleNamespace(url=f"{scheme}://{host}:{server.server_port}/web", asked=asked)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
