"""Blasts: room for a trial. On how many people of each language its variants can be tried."""

from __future__ import annotations

from dataclasses import dataclass

from mobilizer.appeals.editing import translation_in
from mobilizer.appeals.variants import variants_of
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import Checklist
from mobilizer.blasts.modes import modes_of

LEAST = 10  # people a variant


@dataclass(frozen=True, slots=True)
class Room:
    """A language that would be sent: its people, its variants, and on how many people each can be tried at most."""

    tag: str
    people: int
    variants: int
    most: int


def rooms(blast: Blast, found: Checklist) -> tuple[Room, ...]:
    """The languages of a blast, that with most people first; none where it counts too little to try anything."""
    return tuple(_room(blast, *spoken) for spoken in found.gets.most_common()) if modes_of(blast).may_try else ()


def most_tried(languages: tuple[Room, ...]) -> int:
    """On how many people a variant can be tried at most; 0 where no language has two variants."""
    return max((room.most for room in languages), default=0)


def _room(blast: Blast, tag: str, people: int) -> Room:
    translation = translation_in(blast.appeal, tag)
    variants = len(variants_of(translation)) if translation else 1
    return Room(tag, people, variants, people // (2 * variants) if variants > 1 else 0)
