"""The whole way on a real archive: sent, analysed, delivered, each once, whatever is killed."""

from __future__ import annotations

import signal
from collections import Counter

import pytest
from dicomweb_client import DICOMwebClient

from osteoct import analyze, read_structured_report
from osteoct.protocols import Region

pytestmark = [
    pytest.mark.xdist_group("listen"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
"""One server for these tests, which they stop; pynetdicom leaves a socket that the other side
closed to the garbage collector."""


def objects_of(orthanc, study):
    """What the archive has of a study beside the CT, by modality, through DICOMweb."""
    client = DICOMwebClient(orthanc.web)
    found = client.search_for_instances(study, fields=["Modality"])
    told = [(i["00080060"]["Value"][0], i["00080018"]["Value"][0], i) for i in found]
    return {(kind, uid): i for kind, uid, i in told if kind != "CT"}


def report_of(orthanc, study, folder):
    """The structured report of a study, fetched through DICOMweb and read back."""
    ((series, uid),) = [
        (i["0020000E"]["Value"][0], uid)
        for (kind, uid), i in objects_of(orthanc, study).items()
        if kind == "SR"
    ]
    client = DICOMwebClient(orthanc.web)
    dataset = client.retrieve_instance(study, series, uid)
    folder.mkdir(exist_ok=True)
    dataset.save_as(folder / "sr.dcm", enforce_file_format=True)
    return read_structured_report(folder / "sr.dcm")


def kinds(orthanc, study):
    """How many objects of each modality came back."""
    return Counter(kind for kind, _ in objects_of(orthanc, study))


def test_there_and_back_again(listen, lab, orthanc, patient, tmp_path):
    """From the archive into the listener and back: the numbers are those of a direct analysis.

    A further image, sent with those that are there, makes a newer result, which is sent as well. No
    line names the patient.
    """
    images = lab.copy_study(patient, 1)
    study = images[0].StudyInstanceUID
    lab.send_images(images[:-1], orthanc.port, called="ORTHANC")
    listener = listen("--forward", orthanc.web, "--quiet-time", "1.5", port=orthanc.move)
    asked = {"Level": "Study", "Query": {"StudyInstanceUID": study}}
    lab.ask(orthanc, "/modalities/us/store", {"Resources": lab.ask(orthanc, "/tools/find", asked)})
    listener.wait(lambda: "delivered" in listener.said)
    assert kinds(orthanc, study) == {"SEG": 1, "SR": 1}

    told = report_of(orthanc, study, tmp_path / "back")
    direct = analyze(lab.write(images[:-1], tmp_path / "direct"), patient / "masks.nii.gz")
    assert told.levels == direct.levels
    assert told.opinions == direct.opinions
    assert any(m.region is Region.TRABECULAR and m.hu for v in told.levels for m in v.regions)

    assert set(lab.send_images(images, listener.port)) == {0}
    listener.wait(lambda: listener.said.count("delivered") == 2)
    assert "24 images by now" in listener.said
    assert kinds(orthanc, study) == {"SEG": 2, "SR": 2}
    assert "1 done" in lab.status(listener)
    assert listener.stop() == 0
    assert not any(secret in listener.said for secret in (*lab.secrets, study))


def test_killed_and_stopped_in_the_middle(listen, lab, orthanc, patient):
    """Archive and listener end in the middle; every study is analysed and delivered once.

    Images and objects leave when all is delivered, and only then.
    """
    studies = [lab.copy_study(patient, n) for n in range(2)]
    uids = [images[0].StudyInstanceUID for images in studies]
    options = ("--forward", orthanc.node, "--quiet-time", "1.5", "--keep-images", "0")
    listener = listen(*options)
    before = orthanc.count()
    orthanc.stop()
    try:
        for images in studies:
            assert set(lab.send_images(images, listener.port)) == {0}
        listener.wait(lambda: "done:" in listener.said)
        assert len(lab.files(listener.store / "inbox")) == 48
        listener.kill()  # one is done, one in work or waiting; none is delivered
    finally:
        orthanc.start()
    listener.start()
    listener.wait(lambda: listener.said.count("delivered") >= 2)
    listener.wait(lambda: not lab.files(listener.store / "inbox"))
    listener.wait(lambda: not lab.files(listener.store / "outbox"))
    assert orthanc.count() - before == 4
    assert [kinds(orthanc, uid) for uid in uids] == [{"SEG": 1, "SR": 1}] * 2
    assert max(lab.attempts_with_result(listener)) == 1  # 0 where it died before it wrote so down
    assert listener.stop(signal.SIGTERM) == 143
