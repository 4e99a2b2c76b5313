"""``osteoct review``: a contact sheet of many results, and the decisions that come back from it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osteoct.review.cards import Card
    from osteoct.review.folders import FoundCases

_PATH = click.Path(path_type=Path)


@click.command("review", short_help="Make a page to accept or reject many cases.")
@click.argument("out", type=_PATH, nargs=-1, required=True)
@click.option("-o", "--out", "sheet", type=_PATH, help="File of the page; else OUT/review.html.")
@click.option("--import", "decisions", type=_PATH, help="review.csv to put into the results.")
@click.option("--link-reports", is_flag=True, help="Link all reports: folder names stand in it.")
@click.option("--open", "is_opened", is_flag=True, help="Open the page in the browser.")
def review_command(
    out: tuple[Path, ...],
    sheet: Path | None,
    decisions: Path | None,
    *,
    link_reports: bool,
    is_opened: bool,
) -> None:
    """Make a contact sheet of the results in OUT, worst first, and print where it lies.

    OUT is a result folder or a folder of them; several may be named. The page is one file without
    network; its decisions are saved as review.csv. --import puts such a file into the result
    folders, where later runs and cohorts find it.
    """
    from osteoct.cli.words import say
    from osteoct.review.folders import find_cases
    from osteoct.review.keeping import gather_reviews, import_reviews
    from osteoct.review.sheet import SHEET_FILE, check_sheet_place, write_sheet

    path = sheet or (out[0] / SHEET_FILE if len(out) == 1 else Path(SHEET_FILE))
    found = find_cases(out)
    check_sheet_place(path)
    say_unreadable(found)
    if decisions is not None:
        imported = import_reviews(decisions, found.cases)
        say(f"{count_of(imported.results, 'result')} got the decision of the case")
        if imported.unknown:
            say(f"not among these results: {', '.join(imported.unknown)}")
    cards = write_sheet(path, found.cases, gather_reviews(out), is_linked=link_reports)
    say(count_cards(cards))
    click.echo(path)
    if is_opened:
        click.launch(path.resolve().as_uri())


def say_unreadable(found: FoundCases) -> None:
    """Name results that are not on the page."""
    from osteoct.cli.words import say

    for folder in found.unreadable:
        say(f"not read: {folder / 'case.json'} is damaged or of another version")


def count_of(number: int, noun: str) -> str:
    """A number with its noun, such as ``1 case`` or ``3 cases``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def count_cards(cards: Sequence[Card]) -> str:
    """How many cases there are of each kind, and how many are decided."""
    counts = Counter(card.usability_words for card in cards)
    kinds = ", ".join(f"{number} {words}" for words, number in counts.items())
    decided, outdated = (
        sum(bool(card.decided) for card in cards),
        sum(bool(card.outdated) for card in cards),
    )
    text = f"{count_of(len(cards), 'case')}: {kinds}; {decided} decided"
    return f"{text}, {outdated} outdated" if outdated else text
