"""The node beside real senders: pynetdicom, DCMTK, the project's own client."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydicom import dcmread
from pydicom.uid import (
    CTImageStorage,
    EnhancedSRStorage,
    MRImageStorage,
    SecondaryCaptureImageStorage,
    generate_uid,
)
from pynetdicom.sop_class import Verification

from osteoct.errors import ConfigError, NetworkError
from osteoct.network.node.inbox import Inbox, InboxLimits
from osteoct.network.node.receiving import Node, NodeSettings
from osteoct.network.sending import send_files

SCANNER = {"own_title": "SCANNER"}


def kept(at):
    """Data sets of the inbox by UID."""
    folder = at.inbox.arriving.parent
    return {d.SOPInstanceUID: d for d in map(dcmread, folder.glob("study-*/*/*.dcm"))}


def test_what_is_answered_for_is_on_disk_unchanged(listen, make, tmp_path):
    """Every element as it was sent; a repetition changes nothing."""
    at = listen()
    make.series(tmp_path / "s")
    link = make.link(f"OSTEOCT@127.0.0.1:{at.port}", **SCANNER)
    assert send_files([tmp_path / "s"], link, again=True).stored == 4
    sent = {d.SOPInstanceUID: d for d in map(dcmread, (tmp_path / "s").iterdir())}
    assert kept(at) == sent
    assert send_files([tmp_path / "s"], link, again=True).stored == 4
    (study,) = at.inbox.studies()
    assert (study.images, study.callers) == (4, frozenset({"SCANNER"}))
    counts = at.node.counts
    assert (counts.associations, counts.accepted, counts.repeated) == (2, 4, 4)
    assert at.said == []


def test_it_is_on_disk_before_the_answer(listen, associate, make, tmp_path, monkeypatch):
    """When the answer leaves, file and folder have been synchronised."""
    synced = []
    monkeypatch.setattr("osteoct.network.node.arriving.os.fsync", lambda _: synced.append("file"))
    monkeypatch.setattr("osteoct.network.node.inbox.sync_path", lambda p: synced.append(p.name))
    at = listen()
    make.series(tmp_path / "s", images=1)
    status = associate(at.port).send_c_store(dcmread(tmp_path / "s" / "000.dcm"))
    assert status.Status == 0x0000
    (study,) = at.inbox.studies()
    (series,) = study.folder.iterdir()
    assert synced == ["file", series.name, study.folder.parent.name, study.name]


def test_echo(listen, associate):
    """What an administrator tries first."""
    at = listen()
    assert associate(at.port, classes=(Verification,)).send_c_echo().Status == 0x0000


def test_only_those_on_the_list_may_call(listen, associate):
    """By the diagnostic that names the reason, and counted; titles are repeated nowhere."""
    at = listen()
    for named, diagnostic in (({"title": "STRANGER"}, 3), ({"called": "OTHER"}, 7)):
        refused = associate(at.port, **named)
        assert refused.is_rejected
        assert refused.acceptor.primitive.diagnostic == diagnostic
    assert not [line for line in at.said if "STRANGER" in line or "OTHER" in line]
    assert set(at.node.counts.refused.values()) == {1}
    assert len(at.node.counts.refused) == 2


@pytest.mark.parametrize("uid", [MRImageStorage, EnhancedSRStorage, SecondaryCaptureImageStorage])
def test_other_classes_are_not_agreed_on(listen, associate, uid):
    """They are told so before anything is sent."""
    at = listen()
    association = associate(at.port, classes=(uid, CTImageStorage))
    assert [c.abstract_syntax for c in association.accepted_contexts] == [CTImageStorage]
    assert at.node.counts.refused == {"a class or encoding that is not taken": 1}


def change(dataset, **values):
    """The data set with other values, ``None`` for none."""
    for name, value in values.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"Modality": "MR"}, 0xA900),
        ({"Modality": None}, 0xA900),
        ({"SOPClassUID": MRImageStorage}, 0xA900),
        ({"SOPInstanceUID": "1.2.3"}, 0xA901),
        ({"StudyInstanceUID": "../../etc/passwd"}, 0xC001),
        ({"SeriesInstanceUID": "1." * 40 + "1"}, 0xC001),
        ({"StudyInstanceUID": None}, 0xC001),
        ({"PixelData": None}, 0xC002),
        ({"PixelData": bytes(126)}, 0xC002),
        ({"Rows": 0}, 0xC002),
    ],
)
def test_what_is_no_ct_image_is_refused(listen, associate, make, tmp_path, values, status):
    """Each by the status of its kind; the next image is taken."""
    at = listen()
    make.series(tmp_path / "s", images=2)
    association = associate(at.port)
    bad = dcmread(tmp_path / "s" / "000.dcm")
    announced = bad.SOPInstanceUID
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pydicom.config.settings.reading_validation_mode", 0)
        patch.setattr("pydicom.config.settings._writing_validation_mode", 0)
        change(bad, **values)
        bad.file_meta.MediaStorageSOPInstanceUID = announced
        answer = _store_as(association, bad, announced)
    assert answer.Status == status
    assert association.send_c_store(dcmread(tmp_path / "s" / "001.dcm")).Status == 0x0000
    assert len(kept(at)) == 1
    assert sum(at.node.counts.refused.values()) == 1
    assert len(at.said) == 1
    assert not [word for word in make.secrets if word in at.said[0]]


def _store_as(association, dataset, announced):
    """Send a data set under the class and UID that it does not have."""
    from io import BytesIO  # noqa: PLC0415

    from pynetdicom.dimse_primitives import C_STORE  # noqa: PLC0415
    from pynetdicom.dsutils import encode  # noqa: PLC0415

    request = C_STORE()
    request.MessageID = 7
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = CTImageStorage, announced
    request.Priority = 2
    request.DataSet = BytesIO(encode(dataset, is_implicit_vr=False, is_little_endian=True))
    association._reactor_checkpoint.clear()
    association.dimse.send_msg(request, association.accepted_contexts[0].context_id)
    _, answer = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    return answer


def test_another_image_under_a_known_uid(listen, associate, make, tmp_path):
    """Refused; the first one stays."""
    at = listen()
    make.series(tmp_path / "s", images=1)
    image, association = dcmread(tmp_path / "s" / "000.dcm"), associate(at.port)
    assert association.send_c_store(image).Status == 0x0000
    other = dcmread(tmp_path / "s" / "000.dcm")
    other.PixelData = bytes(range(128))
    assert association.send_c_store(other).Status == 0xC004
    assert kept(at)[image.SOPInstanceUID].PixelData == image.PixelData


def test_a_full_disk_asks_to_come_back(listen, make, tmp_path):
    """The sender tries again by itself, and when there is room nothing is lost."""
    at = listen(limits=InboxLimits(free_bytes=shutil.disk_usage(tmp_path).free * 2))
    make.series(tmp_path / "s")
    link = make.link(f"OSTEOCT@127.0.0.1:{at.port}", **SCANNER, attempts=3)
    heard = []

    def hear(line):
        heard.append(line)
        at.inbox._limits = InboxLimits(free_bytes=0)

    sent = send_files([tmp_path / "s"], link, again=True, hear=hear)
    assert (sent.stored, len(kept(at)), len(heard)) == (4, 4, 1)
    assert at.node.counts.refused == {"an image for which the disk has no room": 4}
    assert not list(at.inbox.arriving.iterdir())


def test_several_at_once(listen, make, tmp_path):
    """Eight studies from eight senders, each whole."""
    at = listen()
    for n in range(8):
        make.series(tmp_path / str(n), images=5)
    link = make.link(f"OSTEOCT@127.0.0.1:{at.port}", **SCANNER)
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda n: send_files([tmp_path / str(n)], link, again=True), range(8)))
    assert [s.stored for s in sent] == [5] * 8
    assert [s.images for s in at.inbox.studies()] == [5] * 8


@pytest.mark.skipif(shutil.which("storescu") is None, reason="apt-get install dcmtk")
@pytest.mark.parametrize("program", ["storescu", "dcmsend"])
def test_the_tools_that_others_send_with(listen, make, tmp_path, program):
    """DCMTK, with its own ideas of PDUs and contexts."""
    at = listen()
    make.series(tmp_path / "s")
    files = [str(f) for f in (tmp_path / "s").iterdir()]
    command = [shutil.which(program), "-aet", "SCANNER", "-aec", "OSTEOCT", "127.0.0.1"]
    subprocess.run([*command, str(at.port), *files], check=True, timeout=30)  # noqa: S603
    assert {uid: d.PixelData for uid, d in kept(at).items()} == {
        d.SOPInstanceUID: d.PixelData for d in map(dcmread, files)
    }


def test_settings_that_cannot_be_meant(tmp_path, listen):
    """Nobody allowed, a title too long, a CA without a certificate, a port that is taken."""
    inbox = Inbox(tmp_path / "other", InboxLimits(free_bytes=0))
    with pytest.raises(ConfigError, match="nobody may call"):
        Node(inbox, NodeSettings(port=0))
    with pytest.raises(ConfigError, match="is no AE title"):
        Node(inbox, NodeSettings(port=0, any_caller=True, ae_title="A" * 17))
    with pytest.raises(ConfigError, match="needs a certificate"):
        Node(inbox, NodeSettings(port=0, any_caller=True, ca=tmp_path))
    with pytest.raises(ConfigError, match="cannot be used"):
        Node(inbox, NodeSettings(port=0, any_caller=True, certificate=tmp_path))
    at = listen()
    second = Node(inbox, NodeSettings(port=at.port, any_caller=True))
    with pytest.raises(NetworkError, match="cannot be listened on"):
        second.start()


def test_a_stopped_node_can_be_started_again(listen, associate, make, tmp_path):
    """Nobody answers meanwhile; nothing of its threads is left."""
    at = listen()
    make.series(tmp_path / "s", images=1)
    image = dcmread(tmp_path / "s" / "000.dcm")
    association = associate(at.port)
    assert association.send_c_store(image).Status == 0x0000
    at.node.stop()
    assert not associate(at.port).is_established
    at.node.start()
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    assert associate(at.node.port).send_c_store(image).Status == 0x0000
    assert len(kept(at)) == 2
