"""Web: outcomes as bars. The order, the names and the tones in which every chart shows what became of the mails."""

from __future__ import annotations

from dataclasses import dataclass

from mobilizer.delivery.progress import Tally
from mobilizer.problems import N_
from mobilizer.web.chart import Segment, segments
from mobilizer.web.words import _, number

KINDS = {
    "accepted": N_("Accepted"),
    "rejected": N_("Rejected"),
    "skipped": N_("Skipped"),
    "uncertain": N_("Uncertain"),
    "waiting": N_("Waiting"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """People by outcome. `spoken` says the same as the drawing, for those who can't see it."""

    tag: str
    people: int
    counts: dict[str, int]
    segments: tuple[Segment, ...]
    spoken: str


def kinds(with_waiting: bool = True) -> list[tuple[str, str]]:
    """The outcomes and their names in the page's language."""
    return [(kind, _(name)) for kind, name in KINDS.items() if with_waiting or kind != "waiting"]


def bar(tag: str, counts: dict[str, int]) -> Bar:
    """One bar; what is still waiting is its empty part."""
    people = sum(counts.values())
    drawn = segments([(kind, counts[kind]) for kind in KINDS if kind != "waiting"], people)
    spoken = ", ".join(f"{_(KINDS[kind])}: {number(count)}" for kind, count in counts.items() if count)
    return Bar(tag, people, counts, drawn, spoken)


def tally_bar(tag: str, tally: Tally) -> Bar:
    """The bar of a tally of the ledger."""
    return bar(tag, {kind: getattr(tally, kind) for kind in KINDS})
