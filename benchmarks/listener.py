"""Twenty studies at once into a listener whose archive and whose own process are ended meanwhile.

    python benchmarks/listener.py [--studies 20] [--workers 2] [--senders 4] [--kills 8]

Studies of a small phantom, each of a person of its own, are sent with C-STORE, several at once; the
listener analyses each, with the phantom's own masks, and sends SEG and SR to a real Orthanc
(Debian's orthanc and orthanc-dicomweb). In a second round the listener is killed (kill -9) again
and again at moments drawn by chance (``--seed``), also while it receives, and every other time the
archive is stopped as well; both are started again, and senders repeat what was not taken. Every
study has to come back once, with the numbers of a direct analysis.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from random import Random
from statistics import median
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("OSTEOCT_KEY", "the key of a benchmark, not of patients")


def load_lab() -> ModuleType:
    """The makers that the tests of the listener share."""
    place = ROOT / "tests" / "listen" / "conftest.py"
    spec = importlib.util.spec_from_file_location("listen_lab", place)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> int:
    """Two rounds; 1 where a study is missing, doubled or wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--quiet", type=float, default=8.0, help="longer than senders' time-out")
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    lab = load_lab()
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(lab, Path(name), arguments)
        try:
            reports = [bench.measure(is_disturbed=False), bench.measure(is_disturbed=True)]
        finally:
            bench.close()
    print(json.dumps(reports, indent=2))
    return 0 if all(report["wrong"] == [] for report in reports) else 1


class Bench:
    """An archive, a phantom, and a listener per round."""

    def __init__(self, lab: ModuleType, folder: Path, arguments: argparse.Namespace) -> None:
        self.lab, self.folder, self.arguments = lab, folder, arguments
        self.patient = folder / "patient"
        self.patient.mkdir()
        lab.write_small_patient(self.patient, dicom=True, nifti=False)
        (folder / "orthanc").mkdir()
        self.network = lab.network_conftest()
        self.orthanc = self.network.Orthanc(folder / "orthanc")
        self.orthanc.start()
        self.site = lab.make_site(folder / "site")
        self.round = 0
        self.listener = None

    def close(self) -> None:
        """End what was started."""
        if self.listener is not None and self.listener.is_alive:
            self.listener.kill()
        self.orthanc.stop()

    def measure(self, *, is_disturbed: bool) -> dict[str, object]:
        """Send all studies at once, and wait until every one is back."""
        self.round += 1
        number = self.arguments.studies
        studies = [self.lab.copy_study(self.patient, n) for n in range(number)]
        uids = [images[0].StudyInstanceUID for images in studies]
        store = self.folder / f"store{self.round}"
        options = ("--forward", self.orthanc.web, "--quiet-time", self.arguments.quiet)
        options += ("--workers", self.arguments.workers)
        self.listener = listener = self.lab.Listening(
            store, self.network.free_port(), self.site, self.patient / "masks.nii.gz", *options
        ).start()
        before, clock = self.orthanc.count(), time.perf_counter()
        with ThreadPoolExecutor(self.arguments.senders) as pool:
            sending = [pool.submit(self.send, images) for images in studies]
            events = self.disturb() if is_disturbed else []
            repeated = sum(one.result() for one in sending)
        sent = time.perf_counter() - clock
        listener.wait(lambda: self.delivered() >= 2 * number, seconds=1200)
        back = time.perf_counter() - clock
        wrong = [uid for uid in uids if self.kinds(uid) != {"SEG": 1, "SR": 1}]
        doubled = self.orthanc.count() - before - 2 * number
        attempts = Counter(self.lab.attempts_of(listener))
        code = listener.stop()
        images = sum(map(len, studies))
        return {
            "killed_after_s": events,
            "studies": number,
            "images": images,
            "sent_s": round(sent, 1),
            "images_per_s": round(images / sent, 1),
            "all_back_s": round(back, 1),
            "studies_per_minute": round(60 * number / back, 1),
            "stages_median_s": self.stages(store),
            "studies_sent_again": repeated,
            "doubled_objects": doubled,
            "attempts_with_result": dict(attempts),
            "exit_code": code,
            "wrong": [*wrong, *(["doubled"] if doubled else []), *self.wrong_numbers(store)],
        }

    def send(self, images: list[object]) -> int:
        """Send a study until all of it is taken, as an archive does; how often it was repeated."""
        for repeated in count():
            try:
                if set(self.lab.send_images(images, self.listener.port)) == {0}:
                    return repeated
            except (AssertionError, RuntimeError, ValueError):  # no association, or it broke off
                pass
            time.sleep(0.3)
        raise AssertionError

    def disturb(self) -> list[float]:
        """Kill the listener again and again, and stop the archive every other time."""
        chance, events = Random(self.arguments.seed), []  # noqa: S311 -- not for secrets
        for number in range(self.arguments.kills):
            events.append(round(chance.uniform(0.0, 8.0), 2))
            time.sleep(events[-1])
            self.listener.kill()
            if number % 2:
                self.orthanc.stop()
            self.listener.start()
            if number % 2:
                time.sleep(chance.uniform(0.0, 4.0))
                self.orthanc.start()
        return events

    def delivered(self) -> int:
        """Objects of all deliveries that the archive has answered."""
        files = self.lab.files_below(self.listener.store / "outbox")
        answers = [path for path in files if path.name.startswith("answer-")]
        told = [json.loads(path.read_text(encoding="utf-8")) for path in answers]
        return sum(one["stored"] + one["present"] for one in told)

    def kinds(self, study: str) -> Counter[str]:
        """Objects of a study in the archive, by modality."""
        asked = {"Level": "Series", "Query": {"StudyInstanceUID": study}, "Expand": True}
        series = self.lab.ask(self.orthanc, "/tools/find", asked)
        return Counter({one["MainDicomTags"]["Modality"]: len(one["Instances"]) for one in series})

    def stages(self, store: Path) -> float:
        """Median time that a case took in its worker."""
        with self.lab.open_batch(str(store)) as batch:
            return round(median(sum(row.seconds.values()) for row in batch.ledger.rows()), 2)

    def wrong_numbers(self, store: Path) -> list[str]:
        """Cases whose numbers are not those of a direct analysis."""
        from osteoct import analyze  # noqa: PLC0415 -- beside its only use

        direct = analyze(self.patient / "ct-dicom", self.patient / "masks.nii.gz")
        from osteoct import read_structured_report  # noqa: PLC0415 -- likewise

        reports = sorted((store / "outbox").glob("*/sr.dcm"))
        return [
            f"{path.parent.name}: other numbers"
            for path in reports
            if read_structured_report(path).levels != direct.levels
        ]


if __name__ == "__main__":
    sys.exit(main())
