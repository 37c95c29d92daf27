"""Web: what a trial of variants can tell, before anybody starts one: honestly, in numbers of people and points."""

from __future__ import annotations

from dataclasses import dataclass

from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import Checklist
from mobilizer.blasts.departure import Goal
from mobilizer.blasts.trying import Room, most_tried, rooms
from mobilizer.engagement.ranges import least_difference
from mobilizer.problems import N_
from mobilizer.web.words import _

SIZES = (100, 250, 500, 1000, 2000, 5000, 10_000, 50_000)
ROWS = 4  # of those sizes, the largest that some language has room for
# How many do what a goal counts, where nothing is known yet: about what other appeals find.
USUAL = {Goal.CLICKS: 0.10, Goal.WATCHES: 0.06, Goal.SHARES: 0.02, Goal.RECRUITS: 0.01}
GOALS = {
    Goal.CLICKS: N_("Clicked"),
    Goal.WATCHES: N_("Watched"),
    Goal.SHARES: N_("Shared"),
    Goal.RECRUITS: N_("Brought somebody in"),
}


@dataclass(frozen=True, slots=True)
class Advice:
    """What a trial could tell. `rows` are sizes with the smallest difference that can be told from chance, by goal;
    `most` is on how many people a variant can be tried at most."""

    rooms: tuple[Room, ...]
    rows: tuple[tuple[int, tuple[float, ...]], ...]
    usual: tuple[float, ...]
    most: int


def advice(blast: Blast, found: Checklist) -> Advice | None:
    """What a trial of this blast could tell; None where no language has two variants, or nothing may be told."""
    languages = rooms(blast, found)
    most = most_tried(languages)
    if not most:
        return None
    variants = max(room.variants for room in languages)
    sizes = [size for size in SIZES if size <= most][-ROWS:] or [most]
    rows = tuple((size, tuple(least_difference(USUAL[goal], size, variants) for goal in Goal)) for size in sizes)
    return Advice(languages, rows, tuple(USUAL.values()), most)


def goal_choices() -> list[tuple[str, str]]:
    """What a form offers to tell the best variant by."""
    return [(goal.value, _(name)) for goal, name in GOALS.items()]
