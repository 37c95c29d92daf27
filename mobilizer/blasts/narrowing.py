"""Blasts: what narrows the lists that a blast goes to. Said here, made a condition by who knows segments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, not_
from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import Blast
from mobilizer.problems import Problem

MOST_BLASTS, MOST_DAYS = 100, 365
SHARED = "shared"  # the kind of follow-up that is for those who shared


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Who of a blast's lists gets it: whoever is in one of `segments` (in each of them, if `every`), not in one of
    `without`, not among the people of a blast of `earlier`, and was sent fewer than `most` blasts within `days`.

    If it `follows` a blast, it is a `follow_up` of that kind: for those who did with that blast what the kind is about,
    and had no other of it. All by number; no segments is no condition, and `most` 0 is no frequency cap.
    """

    segments: tuple[int, ...] = ()
    every: bool = False
    without: tuple[int, ...] = ()
    earlier: tuple[int, ...] = ()
    most: int = 0
    days: int = 0
    follows: int = 0
    follow_up: str = ""

    @property
    def thanks(self) -> int:
        """The blast whose sharing it thanks its people for: what came of that can be told to each. 0: none."""
        return self.follows if self.follow_up == SHARED else 0

    @property
    def written(self) -> dict[str, Any]:
        """As a column keeps it: empty if nothing narrows."""
        return {name: value for name, value in asdict(self).items() if value}


def narrowing_of(kept: Mapping[str, Any]) -> Narrowing:
    """What `Narrowing.written` wrote."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    return Narrowing(**values)


NOTHING = Narrowing()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A narrowing as conditions on Member: who `fits`, and who of them is spared by the frequency cap.

    What it takes by lot, so many of it, are its `draws`: their names and the numbers of members. Until they are kept
    (blasts.drawn) it finds other people each time that somebody comes or leaves.
    """

    fits: ColumnElement[bool]
    spared: ColumnElement[bool] | None = None
    draws: Mapping[str, Select[int]] = field(default_factory=dict)

    @property
    def where(self) -> ColumnElement[bool]:
        """Who gets it."""
        return self.fits if self.spared is None else and_(self.fits, not_(self.spared))


# How a blast is narrowed now: None if it is not. Raises CannotChoose where that can't be said.
Whom = Callable[[Session, Blast], Chosen | None]


class CannotChoose(Exception):
    """What narrows a blast is gone or of no use: it goes to nobody until that is mended, never to everyone."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text())
        self.problem = problem


def unnarrowed(_session: Session, blast: Blast) -> None:
    """For who knows of no segments: refuses a blast that is narrowed, as it would go to too many."""
    if blast.narrowing:
        raise RuntimeError(f"blast {blast.id} is narrowed: say whom it goes to")
