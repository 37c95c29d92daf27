"""Face: variants first, from the command line. On how many people each is tried, and what tells the best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import Checklist
from mobilizer.blasts.departure import MOST_HOURS, MOST_PEOPLE, Departure, Goal
from mobilizer.blasts.trying import LEAST, most_tried, rooms

_OPTIONS = (
    click.option("--try", "sample", type=click.IntRange(LEAST, MOST_PEOPLE), help="On how many people each variant."),
    click.option(
        "--best-by",
        "goal",
        type=click.Choice([goal.value for goal in Goal]),
        default=Goal.CLICKS.value,
        show_default=True,
        help="With --try: what tells which is best.",
    ),
    click.option(
        "--after",
        "hours",
        type=click.IntRange(0, MOST_HOURS),
        default=0,
        help="With --try: after how many hours the best is chosen; 0, as usual: not before `release` does.",
    ),
)


def trial_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command what a trial is said by: sample, goal and hours."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def trial(blast: Blast, found: Checklist, sample: int | None, goal: str, hours: int) -> Departure:
    """The trial that was asked for, or everyone at once. Ends the command (1) where a variant can't be tried on so
    many people, and (2) where it is to end and none is to begin."""
    if sample is None and hours:
        raise click.UsageError("--after says when a trial ends: say with --try on how many people.")
    if sample is None:
        return Departure()
    most = most_tried(rooms(blast, found))
    if not most:
        raise click.ClickException("Not launched: no language of it has two variants, or too little of it is counted.")
    if sample > most:
        raise click.ClickException(f"Not launched: a variant can be tried on {most} people at most.")
    return Departure(sample=sample, goal=goal, after_hours=hours)
