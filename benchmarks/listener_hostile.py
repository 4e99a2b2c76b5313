"""A node among strangers: what each attack costs it, what it refuses, whether it still serves.

    python benchmarks/listener_hostile.py [--associations 10000] [--object-gb 4] [--bomb-gb 1]

The node of ``osteoct listen`` runs in a process of its own, with its default limits but for a
timeout of 5 s. Each attack is made over real sockets by one who knows an allowed AE title, and what
is sent is made on the fly. During each the process's peak resident memory, threads, open files and
the disk that its inbox takes are sampled; afterwards an honest sender stores an image. Ends with 1
where that fails or a bound is passed.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid
from pynetdicom import AE, build_context
from pynetdicom.dsutils import encode
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
)

from osteoct.network.node.inbox import Inbox, InboxLimits
from osteoct.network.node.receiving import Node, NodeSettings

TITLE, TIMEOUT_S = "SCANNER", 5.0
MOST_MIB = 300
"""Resident memory of the node that no attack may pass: the imports take some 90 of it."""
MOST_THREADS, MOST_FILES = 120, 200
"""24 connections at the most, two threads and a few files each."""
PIECE_BYTES = 100_000
GB = 10**9


def main() -> int:
    """Attack, one way after the other, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--associations", type=int, default=10_000)
    parser.add_argument("--object-gb", type=float, default=4)
    parser.add_argument("--bomb-gb", type=float, default=1)
    parser.add_argument("--only", default="", help="attacks whose names hold this")
    parser.add_argument("--node", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.node:
        return serve(arguments.node)
    with tempfile.TemporaryDirectory() as name:
        watched = Watched(Path(name))
        is_well = True
        say("| attack | s | peak MiB | threads | files | disk MiB | served after | refused |")
        say("|---|---:|---:|---:|---:|---:|---|---|")
        for title, attack in attacks(arguments).items():
            if arguments.only in title:
                is_well &= watched.during(title, attack)
        lines = watched.end()
    say(f"\n{lines} lines said by the node in all")
    return 0 if is_well else 1


def say(line: str) -> None:
    """Print at once: an attack takes minutes."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def serve(folder: Path) -> int:
    """Be the node: its port first, then its counts for each line that is read."""
    said: list[str] = []
    inbox = Inbox(folder / "inbox", InboxLimits(), hear=said.append)
    settings = NodeSettings(port=0, callers=frozenset({TITLE}), timeout_s=TIMEOUT_S)
    with Node(inbox, settings, said.append) as node:
        say(str(node.port))
        for _ in sys.stdin:
            counts = node.counts
            refused = dict(counts.refused)
            say(json.dumps({"accepted": counts.accepted, "refused": refused, "lines": len(said)}))
    return 0


@dataclass
class Peak:
    """The most of each during an attack."""

    threads: int = 0
    files: int = 0
    disk_bytes: int = 0


@dataclass
class Watched:
    """The node's process, and what is seen of it from outside."""

    folder: Path
    process: subprocess.Popen[str] = field(init=False)
    port: int = field(init=False)
    before: dict[str, int] = field(default_factory=dict)
    lines: int = 0

    def __post_init__(self) -> None:
        command = [sys.executable, __file__, "--node", str(self.folder)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)  # noqa: S603
        self.port = int(self._read())

    def during(self, title: str, attack: Callable[[int], None]) -> bool:
        """Attack once and print the row; whether the node stayed in its bounds and serves."""
        proc = Path(f"/proc/{self.process.pid}")
        (proc / "clear_refs").write_text("5")  # the peak of memory starts anew
        peak, is_over = Peak(), threading.Event()
        sampler = threading.Thread(target=self._sample, args=(proc, peak, is_over))
        sampler.start()
        clock = time.perf_counter()
        attack(self.port)
        seconds = time.perf_counter() - clock
        served = self._serves()
        is_over.set()
        sampler.join()
        mib = number(proc, "VmHWM") / 1024
        told = self._ask()
        new = {k: n - self.before.get(k, 0) for k, n in told["refused"].items()}
        self.before, self.lines = told["refused"], told["lines"]
        refused = "; ".join(f"{k}: {n}" for k, n in new.items() if n) or "-"
        after = "no" if served is None else f"{served:.1f} s"
        say(
            f"| {title} | {seconds:.0f} | {mib:.0f} | {peak.threads} | {peak.files} "
            f"| {peak.disk_bytes / 2**20:.0f} | {after} | {refused} |"
        )
        is_bounded = mib <= MOST_MIB and peak.threads <= MOST_THREADS and peak.files <= MOST_FILES
        return served is not None and is_bounded

    def end(self) -> int:
        """Stop the node; lines that it said."""
        assert self.process.stdin is not None  # noqa: S101 -- piped
        self.process.stdin.close()
        self.process.wait(60)
        return self.lines

    def _sample(self, proc: Path, peak: Peak, is_over: threading.Event) -> None:
        while not is_over.wait(0.05):
            with suppress(OSError):
                peak.threads = max(peak.threads, number(proc, "Threads"))
                peak.files = max(peak.files, sum(1 for _ in (proc / "fd").iterdir()))
            size = 0
            for file in (self.folder / "inbox").rglob("*"):
                with suppress(OSError):
                    size += file.stat().st_blocks * 512
            peak.disk_bytes = max(peak.disk_bytes, size)

    def _serves(self) -> float | None:
        """Seconds until an honest image is stored; ``None`` where it is not in time."""
        clock = time.perf_counter()
        while time.perf_counter() - clock < 4 * TIMEOUT_S:
            entity = AE(ae_title=TITLE)
            entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 10
            contexts = [build_context(CTImageStorage, ExplicitVRLittleEndian)]
            opened = entity.associate("127.0.0.1", self.port, contexts, ae_title="OSTEOCT")
            if opened.is_established:
                status = opened.send_c_store(make_image())
                opened.release()
                if status.get("Status") == 0:
                    return time.perf_counter() - clock
            time.sleep(0.1)
        return None

    def _ask(self) -> dict[str, Any]:
        assert self.process.stdin is not None  # noqa: S101 -- piped
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        told: dict[str, Any] = json.loads(self._read())
        return told

    def _read(self) -> str:
        assert self.process.stdout is not None  # noqa: S101 -- piped
        return self.process.stdout.readline()


def number(proc: Path, name: str) -> int:
    """A number of a process's status."""
    for line in (proc / "status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


def attacks(arguments: argparse.Namespace) -> dict[str, Callable[[int], None]]:
    """Each by what it is."""
    many, bomb = arguments.associations, int(arguments.bomb_gb * GB)
    large = int(arguments.object_gb * GB)
    a_value = element(0x0008, 0x0060, b"UT", bomb)
    a_blob = element(0x0009, 0x1001, b"OB", None)
    a_sequence = element(0x0008, 0x1140, b"SQ", None) + item()
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", 22) + b"1.2.840.10008.1.2.1.99"
    return {
        "none": lambda _: None,
        f"{many} associations, opened and dropped": lambda p: open_and_drop(p, many),
        f"{many} associations of a stranger": lambda p: strangers(p, many),
        "1000 connections at once that say nothing": lambda p: silent(p, 1000),
        "garbage, 3000 times": lambda p: garbage(p, 3000),
        "half a PDU, 200 times": lambda p: halves(p, 200),
        "a request of 4 GiB": lambda p: announced(p, 1),
        "a PDU of 4 GiB in an association": lambda p: announced(p, 4),
        f"an object of {arguments.object_gb:g} GB": lambda p: send(p, pixels(large)),
        "an object without an end": lambda p: send(p, pixels(2**40)),
        "16 objects of 300 MB at once": lambda p: at_once(p, 16, 300_000_000),
        "a modality as long as a film": lambda p: send(p, chain(a_value, zeros(bomb))),
        "a private value without a length": lambda p: send(p, chain(a_blob, zeros(bomb))),
        "a sequence of empty elements": lambda p: send(p, chain(a_sequence, empties(bomb))),
        "sequences nested without an end": lambda p: send(p, nested(bomb // 10)),
        "a deflated data set, smuggled": lambda p: send(p, chain(meta, deflated(bomb))),
        "UIDs that are paths": paths,
        "classes that are not taken, 1000 times": lambda p: classes(p, 1000),
        "events reported, 5000 times": lambda p: pipelined(p, event_report(), 5000),
        "echoes whose answers nobody reads, 20000": lambda p: pipelined(p, echo(), 20_000),
    }


def open_and_drop(port: int, times: int) -> None:
    """The answer is read, so that each is served."""
    for _ in range(times):
        with connect(port) as plain:
            plain.sendall(request())
            plain.recv(1)


def strangers(port: int, times: int) -> None:
    """Rejected, each."""
    unknown = request(title="STRANGER")
    for _ in range(times):
        with connect(port) as plain:
            plain.sendall(unknown)
            plain.recv(1)


def silent(port: int, times: int) -> None:
    """Held until the node closes them."""
    opened = []
    for _ in range(times):
        with suppress(OSError):
            opened.append(connect(port))
    for plain in opened:
        wait_closed(plain)


def garbage(port: int, times: int) -> None:
    """Of growing size, another each time."""
    for n in range(times):
        with connect(port) as plain, suppress(OSError):
            plain.sendall(os.urandom(1 + n * 7 % 5000))


def halves(port: int, times: int) -> None:
    """Twenty at once; the connection stays until the node has enough."""
    whole = request()
    for start in range(0, times, 20):
        opened = []
        for n in range(20):
            with suppress(OSError):
                opened.append(connect(port))
                opened[-1].sendall(whole[: (start + n) * 37 % len(whole)])
        for plain in opened:
            wait_closed(plain)


def announced(port: int, kind: int) -> None:
    """As much as is taken of what was announced."""
    with connect(port) as plain, suppress(OSError):
        if kind == 4:
            plain.sendall(request())
            plain.recv(65536)
        plain.sendall(struct.pack(">BBL", kind, 0, 2**32 - 2))
        for _ in range(2000):
            plain.sendall(bytes(10**6))


def at_once(port: int, times: int, size: int) -> None:
    """The most associations there are, each with an object."""
    senders = [threading.Thread(target=send, args=(port, pixels(size))) for _ in range(times)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()


def paths(port: int) -> None:
    """Announced, and inside."""
    for uid in ("../../etc/passwd", "1" * 65, "1.2\0/../..", "", "\u00c4.1", "/" * 3000):
        send(port, pixels(1000), uid=uid)
        send(port, chain(image_head(study=uid), pixels(1000)))


def classes(port: int, times: int) -> None:
    """Asked for, and sent without being agreed on."""
    for _ in range(times):
        with connect(port) as plain, suppress(OSError):
            plain.sendall(request(sop_class=MRImageStorage))
            plain.recv(65536)
            plain.sendall(pdu(3, store("1.2.3")))
            wait_closed(plain)


def pipelined(port: int, command: bytes, times: int) -> None:
    """Without waiting for an answer."""
    with connect(port) as plain, suppress(OSError):
        plain.sendall(request())
        plain.recv(65536)
        for _ in range(times):
            plain.sendall(pdu(3, command))
        wait_closed(plain)


def send(port: int, data: Iterator[bytes], *, uid: str | None = None) -> None:
    """One C-STORE whose data set comes from a generator, until its end or the node's."""
    with connect(port) as plain, suppress(OSError):
        plain.settimeout(300)  # what was taken is read before it is answered
        plain.sendall(request())
        plain.recv(65536)
        plain.sendall(pdu(3, store(generate_uid() if uid is None else uid)))
        for piece in data:
            plain.sendall(pdu(0, piece))
            if select.select([plain], [], [], 0)[0]:
                return
        plain.sendall(pdu(2, b"\0\0"))
        plain.recv(65536)


def connect(port: int) -> socket.socket:
    """A plain connection."""
    return socket.create_connection(("127.0.0.1", port), 30)


def wait_closed(plain: socket.socket) -> None:
    """Until the other side ends it."""
    plain.settimeout(6 * TIMEOUT_S)
    with suppress(OSError):
        while plain.recv(65536):
            pass
    plain.close()


def request(title: str = TITLE, sop_class: str = CTImageStorage) -> bytes:
    """The first PDU of an association."""
    asked = A_ASSOCIATE()
    asked.application_context_name = "1.2.840.10008.3.1.1.1"
    asked.calling_ae_title, asked.called_ae_title = title, "OSTEOCT"
    longest, who = MaximumLengthNotification(), ImplementationClassUIDNotification()
    longest.maximum_length_received, who.implementation_class_uid = 16382, "1.2.3.4"
    asked.user_information = [longest, who]
    contexts = []
    for n, uid in enumerate((sop_class, "1.2.840.10008.1.1")):
        contexts.append(build_context(uid, ExplicitVRLittleEndian))
        contexts[-1].context_id = 2 * n + 1
    asked.presentation_context_definition_list = contexts
    encoded = A_ASSOCIATE_RQ()
    encoded.from_primitive(asked)
    return bytes(encoded.encode())


def pdu(control: int, data: bytes, context: int = 1) -> bytes:
    """A P-DATA-TF PDU with one fragment."""
    value = struct.pack(">LBB", len(data) + 2, context, control) + data
    return struct.pack(">BBL", 4, 0, len(value)) + value


def command(*elements: tuple[int, bytes]) -> bytes:
    """A command set: elements of group 0000, implicit little endian."""
    padded = ((number, value + b"\0" * (len(value) % 2)) for number, value in elements)
    told = b"".join(struct.pack("<HHL", 0, number, len(v)) + v for number, v in padded)
    return struct.pack("<HHLL", 0, 0, 4, len(told)) + told


def store(uid: str) -> bytes:
    """C-STORE-RQ."""
    return command(
        (0x0002, CTImageStorage.encode()),
        (0x0100, struct.pack("<H", 0x0001)),
        (0x0110, struct.pack("<H", 7)),
        (0x0700, struct.pack("<H", 2)),
        (0x0800, struct.pack("<H", 1)),
        (0x1000, uid.encode()),
    )


def echo() -> bytes:
    """C-ECHO-RQ."""
    return command(
        (0x0002, b"1.2.840.10008.1.1"),
        (0x0100, struct.pack("<H", 0x0030)),
        (0x0110, struct.pack("<H", 7)),
        (0x0800, struct.pack("<H", 0x0101)),
    )


def event_report() -> bytes:
    """N-EVENT-REPORT-RQ, which nobody asked for."""
    return command(
        (0x0002, CTImageStorage.encode()),
        (0x0100, struct.pack("<H", 0x0100)),
        (0x0110, struct.pack("<H", 7)),
        (0x0800, struct.pack("<H", 0x0101)),
        (0x1000, b"1.2.3"),
        (0x1002, struct.pack("<H", 1)),
    )


def element(group: int, number: int, vr: bytes, length: int | None) -> bytes:
    """The head of an element with a long length; ``None`` for an undefined one."""
    told = 0xFFFFFFFF if length is None else length
    return struct.pack("<HH2sHL", group, number, vr, 0, told)


def item() -> bytes:
    """The head of an item without a length."""
    return struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)


def chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """One after the other."""
    yield head
    yield from rest


def zeros(size: int) -> Iterator[bytes]:
    """So many."""
    for start in range(0, size, PIECE_BYTES):
        yield bytes(min(PIECE_BYTES, size - start))


def empties(size: int) -> Iterator[bytes]:
    """Elements of eight bytes without a value, in rising order."""
    for start in range(0, size // 8, 10_000):
        yield b"".join(
            struct.pack("<HH2sH", 9 + 2 * (n >> 16 & 0xFFF), n & 0xFFFF, b"LO", 0)
            for n in range(start, start + 10_000)
        )


def nested(size: int) -> Iterator[bytes]:
    """Sequences in sequences."""
    one = element(0x0008, 0x1115, b"SQ", None) + item()
    for _ in range(0, size, len(one) * 5000):
        yield one * 5000


def deflated(size: int) -> Iterator[bytes]:
    """Zeros, a thousandth as long."""
    squeeze = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    for piece in zeros(size):
        if squeezed := squeeze.compress(piece):
            yield squeezed
    yield squeeze.flush()


def pixels(size: int) -> Iterator[bytes]:
    """The data set of a CT image with so many bytes of pixels."""
    yield image_head() + element(0x7FE0, 0x0010, b"OW", min(size, 2**32 - 2))
    yield from zeros(size)


def image_head(*, study: str | None = None) -> bytes:
    """The elements before the pixels, with any text for the study's UID."""
    image = make_image()
    del image.PixelData
    given = generate_uid() if study is None else study
    image.StudyInstanceUID = "1.2"
    whole: bytes = encode(image, is_implicit_vr=False, is_little_endian=True)
    head = struct.pack("<HH2s", 0x0020, 0x000D, b"UI")
    uid = given.encode()
    uid += b"\0" * (len(uid) % 2)
    return whole.replace(
        head + struct.pack("<H", 4) + b"1.2\0", head + struct.pack("<H", len(uid)) + uid
    )


def make_image() -> Dataset:
    """A small CT image of a study of its own."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = CTImageStorage
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    image.StudyInstanceUID, image.SeriesInstanceUID = "1.2.3.4", "1.2.3.4.5"
    image.Modality, image.PatientID, image.InstanceNumber = "CT", "hostile", 1
    image.Rows = image.Columns = 8
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation, image.SamplesPerPixel = 15, 0, 1
    image.PhotometricInterpretation, image.PixelData = "MONOCHROME2", bytes(128)
    return image


if __name__ == "__main__":
    raise SystemExit(main())
