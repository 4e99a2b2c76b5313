"""What becomes of images: kept until their result is delivered, and never longer than is asked."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
from pydicom import dcmread

from osteoct.export.exporting import EXPORT_FILE
from osteoct.listen import steward as stewarding
from osteoct.listen.admission import Admitter
from osteoct.listen.notes import Notes, Stage, StudyNote
from osteoct.listen.outbox import Answer, Outbox
from osteoct.listen.settings import ListenSettings
from osteoct.listen.steward import Places, Steward
from osteoct.network.node.images import read_image
from osteoct.network.node.inbox import Inbox, InboxLimits
from osteoct.run.batch import open_batch
from osteoct.run.plan.choices import SegmenterChoice, make_choices
from osteoct.run.records import Cause, Outcome, State

KEY = "0123456789abcdef"
KEEP_S = 100.0


@pytest.fixture
def home(tmp_path, patient, network, monkeypatch):
    """A steward with one study in its inbox, whose clock a test may turn."""

    def receive(number, *, announced=None):
        """One more image of the phantom's study, which may say how many there are."""
        image = dcmread(sorted((patient / "ct-dicom").iterdir())[number])
        if announced is not None:
            image.NumberOfStudyRelatedInstances = announced
        part = inbox.arriving / "x.part"
        image.save_as(part, enforce_file_format=True)
        inbox.keep(part, read_image(part), caller="SCANNER")

    def make(*, forwards=1, most_studies=None):
        links = [network.link_to(f"A{n}@127.0.0.1:104") for n in range(forwards)]
        settings = ListenSettings(
            forwards=tuple(links),
            keep_s=KEEP_S,
            limits=InboxLimits(free_bytes=0, most_studies=most_studies),
        )
        return Steward(places, admitter, settings, hear=said.append)

    said = []
    inbox = Inbox(tmp_path / "store" / "inbox", InboxLimits(free_bytes=0))
    outbox = Outbox(tmp_path / "store" / "outbox")
    places = Places(inbox=inbox, notes=Notes(tmp_path / "store" / "listener"), outbox=outbox)
    receive(0)
    with open_batch(str(tmp_path / "store"), create=True) as batch:
        choices = make_choices(tmp_path, segmenter=SegmenterChoice(name="phantom-masks"))
        admitter = Admitter(batch=batch, choices=choices, secret=b"a key of this test")
        clock = SimpleNamespace(now=inbox.studies()[0].last_at)
        monkeypatch.setattr(stewarding, "now", lambda: clock.now)
        yield SimpleNamespace(
            make=make,
            receive=receive,
            inbox=inbox,
            outbox=outbox,
            notes=places.notes,
            batch=batch,
            said=said,
            clock=clock,
        )


def put_parcel(home, *, answers=(), stage=Stage.EXPORTED):
    """The study as one that was exported, with what archives answered."""
    (study,) = home.inbox.studies()
    home.notes.put(
        study.name, StudyNote(revision=study.revision, case_id="c-a", key=KEY, stage=stage)
    )
    place = home.outbox.place("c-a", KEY)
    place.mkdir(parents=True, exist_ok=True)
    (place / EXPORT_FILE).touch()
    os.utime(place / EXPORT_FILE, (home.clock.now, home.clock.now))
    parcel = home.outbox.find("c-a", KEY)
    for number, refused in enumerate(answers):
        answer = Answer(stored=2 - refused, present=0, refused=refused, at=home.clock.now)
        parcel.keep_answer(f"A{number}@127.0.0.1:104", answer)


@pytest.mark.parametrize(("late_s", "is_there"), [(KEEP_S - 0.5, True), (KEEP_S, False)])
def test_images_leave_at_their_time(home, late_s, is_there):
    """So long after the last archive had all of it, and the objects with them."""
    put_parcel(home, answers=(0,))
    home.clock.now += late_s
    home.make().look()
    assert bool(home.inbox.studies()) is is_there
    assert bool(home.outbox.parcels()) is is_there
    assert bool(home.notes.names()) is is_there


@pytest.mark.parametrize(
    ("answers", "stage"),
    [((), Stage.EXPORTED), ((1,), Stage.EXPORTED), ((0,), Stage.FAILED), ((0,), Stage.PLANNED)],
)
def test_what_is_not_delivered_stays(home, answers, stage):
    """Not answered, refused, without a result, or still at work."""
    put_parcel(home, answers=answers, stage=stage)
    home.clock.now += 1000 * KEEP_S
    home.make().look()
    assert home.inbox.studies()


def test_every_archive_has_to_have_it(home):
    """One of two is not enough."""
    put_parcel(home, answers=(0,))
    home.clock.now += 10 * KEEP_S
    home.make(forwards=2).look()
    assert home.inbox.studies()


def test_what_came_since_stays(home):
    """An image that came after the result: the study is planned anew, not removed."""
    put_parcel(home, answers=(0,))
    home.receive(1)
    home.clock.now += KEEP_S
    home.make().look()
    (study,) = home.inbox.studies()
    assert study.images == 2
    assert "2 images by now" in home.said[0]
    assert home.notes.get(study.name).revision == study.revision


def test_without_archives_objects_stay(home):
    """They are what the user wants; the images leave so long after they were made."""
    put_parcel(home)
    home.clock.now += KEEP_S
    home.make(forwards=0).look()
    assert not home.inbox.studies()
    assert home.outbox.parcels()


@pytest.mark.parametrize(("most", "is_there"), [(2, True), (1, False)])
def test_delivered_images_make_room(home, most, is_there):
    """Before a bound turns new studies away, those that are only kept for a while leave."""
    put_parcel(home, answers=(0,))
    home.clock.now += 1
    home.make(most_studies=most).look()
    assert bool(home.inbox.studies()) is is_there


def test_a_failure_is_told_once_and_may_be_tried_again(home):
    """The reason stands in a line; a case that is had done anew is exported like any other."""
    (study,) = home.inbox.studies()
    home.clock.now += 1000
    home.make().look()  # one image is no volume
    first = home.make()
    for _ in range(3):
        first.look()
    told = [line for line in home.said if line.startswith("refused: c-")]
    assert len(told) == 1
    assert home.notes.get(study.name).stage is Stage.FAILED
    assert home.inbox.studies()


def test_a_result_that_is_gone_is_made_again(home):
    """The ledger says done, and the store has nothing: measured again, not given up."""
    (study,) = home.inbox.studies()
    home.clock.now += 1000
    for number in range(1, 24):
        home.receive(number)
    home.make().look()
    (claim,) = home.batch.ledger.claim("me", 1, lease_s=60)
    assert home.batch.ledger.counts()[State.RUNNING] == 1
    outcome = Outcome(case_id=claim.item.case_id, key=claim.item.key)
    home.batch.ledger.finish("me", outcome, state=State.DONE, worker="w")
    home.make().look()
    assert home.batch.ledger.row(claim.item.case_id).state is State.PENDING
    assert home.inbox.studies()[0].name == study.name


def test_an_old_result_cannot_overtake_a_new_one(home):
    """While a case is computed, its study is not planned anew: results come in their order."""
    home.clock.now += 1000
    for number in range(1, 23):
        home.receive(number)
    steward = home.make()
    steward.look()
    (claim,) = home.batch.ledger.claim("me", 1, lease_s=60)
    home.receive(23)
    home.clock.now += 1000
    steward.look()
    case_id, key = claim.item.case_id, claim.item.key
    assert home.batch.ledger.row(case_id).key == key
    failed = Outcome.failed(claim.item, Cause.SEGMENTATION, "Nothing", "no vertebrae")
    home.batch.ledger.finish("me", failed, state=State.FAILED, worker="w")
    steward.look()
    assert home.batch.ledger.row(case_id).key != key
    assert home.batch.ledger.row(case_id).state is State.PENDING


@pytest.mark.parametrize(("late_s", "is_taken"), [(1799.5, False), (1800.0, True)])
def test_announced_images_that_never_come(home, late_s, is_taken):
    """After the patience the study is analysed as it is, which is said aloud and in its result."""
    for number in range(1, 24):
        home.receive(number, announced=30)
    home.clock.now = home.inbox.studies()[0].last_at + late_s
    steward = home.make()
    steward.look()
    claims = home.batch.ledger.claim("me", 9, lease_s=60)
    assert len(claims) == int(is_taken)
    assert steward.arriving == int(not is_taken)
    if is_taken:
        assert "24 images, of 30, some are missing" in home.said[0]
        assert "study-incomplete" in {f.code for f in claims[0].item.findings}


def test_a_repeated_image_is_a_sign_of_more(home):
    """Who sends a broken-off study again begins with what is here; the rest is still to come."""
    before = home.inbox.studies()[0]
    home.receive(0)
    after = home.inbox.studies()[0]
    assert after.last_at > before.last_at
    assert (after.images, after.revision) == (before.images, before.revision)


def test_quiet_counts_from_the_start(home):
    """A sender that was cut off by the end of a listener gets its time to send the rest."""
    home.clock.now += 1000
    steward = home.make()
    steward.begin()
    home.clock.now += 59.5
    steward.look()
    assert steward.arriving == 1
    home.clock.now += 0.5
    steward.look()
    assert steward.arriving == 0
