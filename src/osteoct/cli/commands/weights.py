"""``osteoct weights``: the trained models on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from osteoct.segment.weights.catalogue import WeightsNeed
    from osteoct.segment.weights.condition import Condition

_PATH = click.Path(path_type=Path)
_segmenter = click.option("--segmenter", help="Whose models; default: of every segmenter.")
_quality = click.option(
    "--quality",
    type=click.Choice(["best", "fast", "all"]),
    default="all",
    show_default=True,
    help="Models for which quality; of totalsegmentator where no segmenter is named.",
)
_accept = click.option(
    "--accept",
    multiple=True,
    metavar="MODEL",
    help="Take a model though its bytes are not those known or recorded; may be repeated.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")


@click.group("weights", short_help="Fetch, check and carry the trained models.")
def weights_command() -> None:
    """List, fetch, verify, export and import the trained models of the segmenters.

    analyze and segment fetch what they need on first use and say so; nothing else ever does.
    """


@weights_command.command("list", short_help="List the models and what is here.")
@_segmenter
@_json
def list_command(segmenter: str | None, *, as_json: bool) -> None:
    """List the models: what for, whether they are here and whole, size, licence and place.

    Every byte of those that are here is read. Nothing is fetched.
    """
    from osteoct.cli.printing import print_records

    rows = [condition_row(c, as_json=as_json) for c in look(find(segmenter, "all"))]
    print_records(rows, as_json=as_json)


@weights_command.command("fetch", short_help="Fetch models from where they are published.")
@click.argument("model", nargs=-1)
@click.option("--segmenter", default="totalsegmentator", show_default=True, help="Whose models.")
@click.option(
    "--quality",
    type=click.Choice(["best", "fast", "all"]),
    default="best",
    show_default=True,
    help="Models for which quality.",
)
@click.option("--again", is_flag=True, help="Fetch those that are here as well.")
@_accept
@click.option("--offline", is_flag=True, help="Never fetch weights; also OSTEOCT_OFFLINE=1.")
def fetch_command(model: tuple[str, ...], segmenter: str, quality: str, **options: Any) -> None:  # noqa: ANN401 - click's options
    """Fetch the models that are missing; check and record those that are here.

    Each MODEL is a name that osteoct weights list tells; without one it is those of the segmenter
    and the quality.

    A fetch that was interrupted goes on where it ended. Proxies are those of HTTPS_PROXY,
    HTTP_PROXY and NO_PROXY; OSTEOCT_WEIGHTS_MIRROR names another server.

    Exit codes: 0 done, 4 the network, the disk or a model stands against it.
    """
    from osteoct.cli.fetching import fetch_announced, forbidden, is_offline
    from osteoct.cli.words import say
    from osteoct.errors import WeightsMissingError
    from osteoct.segment.weights.presence import check_presence
    from osteoct.segment.weights.trust import check_unaltered

    need = pick(model) if model else find(segmenter, quality)[0]
    if is_offline(offline=options["offline"]):
        if options["again"]:
            raise click.UsageError("--again fetches, which --offline and OSTEOCT_OFFLINE forbid.")
        try:
            check_presence(need)
        except WeightsMissingError as error:
            raise forbidden(error) from None
        check_unaltered(need)
        say(f"nothing fetched, {len(need.downloads)} here already and unaltered")
        return
    brought = fetch_announced(need, again=options["again"], accept=options["accept"])
    left = len(need.downloads) - len(brought)
    say(f"{len(brought)} fetched, {left} here already and unaltered")


@weights_command.command("verify", short_help="Compare every byte of the models that are here.")
@_segmenter
@_quality
@_accept
@_json
def verify_command(segmenter: str | None, quality: str, **options: Any) -> int:  # noqa: ANN401 - click's options
    """Compare every byte of the models with what is known or was recorded of them.

    With --segmenter or --quality a model that is missing is a fault as well.

    Exit codes: 0 all is well, 4 a model is incomplete, altered or missing.
    """
    from osteoct.cli.app import EXIT_ENVIRONMENT
    from osteoct.cli.printing import print_records
    from osteoct.segment.weights.condition import accept
    from osteoct.segment.weights.fetch import check_names

    needs = find(segmenter, quality)
    check_names(options["accept"], [d for need in needs for d in need.downloads])
    for need in needs:
        if set(options["accept"]) & {d.name for d in need.downloads}:
            accept(need, options["accept"])
    told = look(needs)
    rows = [condition_row(c, as_json=options["as_json"]) for c in told]
    is_asked = segmenter is not None or quality != "all"
    if not options["as_json"] and not is_asked:
        rows = [row for row, c in zip(rows, told, strict=True) if not c.is_missing]
    print_records(rows, as_json=options["as_json"])
    return 0 if say_verdict(told, is_asked=is_asked) else EXIT_ENVIRONMENT


@weights_command.command("export", short_help="Write the models that are here into one file.")
@click.argument("bundle", type=_PATH)
@_segmenter
@_quality
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def export_command(bundle: Path, segmenter: str | None, quality: str, *, overwrite: bool) -> None:
    """Write models into BUNDLE, one file, for machines without internet.

    Without --segmenter and --quality: every model that is here.

    Exit codes: 0 done, 2 BUNDLE exists, 3 it cannot be written, 4 a model is missing or altered.
    """
    from osteoct.cli.words import say
    from osteoct.errors import OutputExistsError
    from osteoct.segment.weights.bundle import export_bundle
    from osteoct.segment.weights.presence import check_presence
    from osteoct.segment.weights.size import in_words

    if bundle.is_dir() or (bundle.exists() and not overwrite):
        raise OutputExistsError(
            "exists already", where=str(bundle), hint="choose another name, or --overwrite"
        )
    needs = find(segmenter, quality)
    if segmenter is not None or quality != "all":
        for need in needs:
            check_presence(need)
    for name in export_bundle(needs, bundle):
        say(name)
    size = in_words(bundle.stat().st_size)
    say(f"{bundle}: {size}; osteoct weights import {bundle.name} brings it in elsewhere")


@weights_command.command("import", short_help="Take the models of such a file.")
@click.argument("bundle", type=_PATH)
@click.option("--overwrite", is_flag=True, help="Replace models that are here and differ.")
@_accept
def import_command(bundle: Path, *, overwrite: bool, accept: tuple[str, ...]) -> None:
    """Put the models of BUNDLE in their places; all are checked before one becomes visible.

    Exit codes: 0 done, 3 BUNDLE is damaged, altered or of models that are not known, 4 a place
    cannot be written or holds another model.
    """
    from osteoct.cli.fetching import FetchLine
    from osteoct.cli.words import say
    from osteoct.segment.weights.bundle import import_bundle

    with FetchLine() as line:
        taken = import_bundle(
            bundle, find(None, "all"), overwrite=overwrite, accept=accept, hear=line
        )
    for name in taken:
        say(name)
    say(f"{len(taken)} taken from {bundle}" if taken else "all of it was here already")


def find(segmenter: str | None, quality: str) -> tuple[WeightsNeed, ...]:
    """The models that options ask for; a quality without a segmenter is of the default one."""
    from osteoct.segment.interface import Quality
    from osteoct.segment.registry import DEFAULT
    from osteoct.segment.weights.catalogue import find_needs

    if quality == "all":
        return find_needs(segmenter)
    return find_needs(segmenter or DEFAULT, Quality(quality))


def pick(names: tuple[str, ...]) -> WeightsNeed:
    """The models of these names, which are of one segmenter."""
    from dataclasses import replace

    from osteoct.segment.weights.fetch import check_names

    needs = find(None, "all")
    check_names(names, [d for need in needs for d in need.downloads], where="MODEL")
    found = [
        replace(need, downloads=tuple(d for d in need.downloads if d.name in names))
        for need in needs
        if any(d.name in names for d in need.downloads)
    ]
    if len(found) > 1:
        raise click.UsageError("The models are of several segmenters: fetch them one by one.")
    return found[0]


def look(needs: tuple[WeightsNeed, ...]) -> list[Condition]:
    """What is here of models."""
    from osteoct.segment.weights.condition import look_at

    return [condition for need in needs for condition in look_at(need)]


def condition_row(condition: Condition, *, as_json: bool) -> dict[str, object]:
    """A model as it is printed: all of it for programs, what matters for people."""
    if as_json:
        told = condition.model_dump(mode="json")
        return {"id": told.pop("name"), **told}
    row: dict[str, object] = {
        "id": condition.name,
        "state": condition.state,
        "for": condition.purpose,
        "segmenter": f"{condition.segmenter}, quality {' and '.join(condition.qualities)}",
        "size": _size(condition),
        "hashes": _hashes(condition),
        "licence": condition.licence,
        "place": condition.where,
    }
    return row | ({"problems": list(condition.problems)} if condition.problems else {})


def say_verdict(told: list[Condition], *, is_asked: bool) -> bool:
    """Say how many models are well and how many are not; return whether all is well."""
    from osteoct.cli.words import say
    from osteoct.segment.weights.trust import Trust

    missing = [c for c in told if c.is_missing]
    sound = [c for c in told if c.is_sound]
    faulty = [c.name for c in told if not c.is_sound and not c.is_missing]
    unknown = [c for c in sound if c.trust == Trust.UNRECORDED]
    counts = [
        f"{len(sound) - len(unknown)} unaltered",
        *([f"{len(unknown)} with nothing to compare to"] if unknown else []),
        f"{len(faulty)} altered or incomplete",
        f"{len(missing)} missing",
    ]
    say(", ".join(counts))
    if unknown:
        say("osteoct weights fetch MODEL records one as it is: a later change then shows")
    for name in faulty:
        say(f"osteoct weights fetch --again {name} brings the published one")
    return not faulty and bool(sound) and not (is_asked and missing)


def _size(condition: Condition) -> str:
    """On the disk, or to be fetched, and what an interrupted fetch left of that."""
    from osteoct.segment.weights.size import in_words

    size = "unknown" if condition.size_bytes is None else in_words(condition.size_bytes)
    if condition.is_missing and condition.size_bytes is not None:
        size = f"{size} to fetch"
    begun = condition.begun_bytes
    return f"{size}, {in_words(begun)} of an interrupted fetch are here" if begun else size


def _hashes(condition: Condition) -> str:
    """What a model's bytes are compared with, in words."""
    if condition.trust == "unrecorded":
        when = "fetched" if condition.is_missing else "osteoct weights fetch is run"
        return f"not published; recorded when {when}"
    if condition.trust == "recorded":
        return str(condition.compared_with)
    return f"{condition.trust}: {condition.compared_with}"
