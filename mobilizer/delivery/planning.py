"""Delivery: planning. Which batch each of the people of a piece of an audience goes into, and in which language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Row, Table, and_, case, func, insert, literal, literal_column, select
from sqlalchemy.orm import Session

from mobilizer.appeals.variants import FIRST
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.waiting import frozen_languages, given
from mobilizer.db import BigId
from mobilizer.delivery.ledger import Batch, BatchState, numbered
from mobilizer.delivery.packing import Parcel, pack, stretch
from mobilizer.delivery.trials import wave_and_variant
from mobilizer.delivery.waves import AT_ONCE, Kind, of_blast
from mobilizer.languages import CaughtBy

STEPS = tuple(CaughtBy)
# The column of the wave or variant that people are in by the way their blast leaves; not there if all go at once.
PART = "part"
Pair = tuple[str, str | None, int]  # two languages and a part


class Group(NamedTuple):
    """People who can be in one batch: of one language, wave and variant, and who would get the same otherwise."""

    language: str
    wave: int = AT_ONCE
    variant: str = FIRST
    otherwise: str = ""
    otherwise_by: str = ""


class Place(NamedTuple):
    """Where somebody goes: the group, and the step of the fallback chain that chose their language."""

    group: Group
    caught_by: CaughtBy


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each pair of languages goes, the commonest first, and the batches with their numbers."""

    places: Mapping[Pair, Place]
    batches: Mapping[int, Parcel[Group]]

    @property
    def groups(self) -> Sequence[Group]:
        """The groups that people are in here."""
        return sorted({parcel.group for parcel in self.batches.values()})

    def code(self, people: Table) -> ColumnElement[int]:
        """The place of a pair as one number: that of its group times STEPS, plus the step that caught it."""
        first, second = people.c.language, people.c.second_language
        groups = {group: at for at, group in enumerate(self.groups)}

        def is_pair(one: str, other: str | None, part: int) -> ColumnElement[bool]:
            same = [first == one, second.is_(None) if other is None else second == other]
            return and_(*same, *([people.c[PART] == part] if PART in people.c else []))

        return case(
            *(
                (is_pair(*pair), groups[place.group] * len(STEPS) + STEPS.index(place.caught_by))
                for pair, place in self.places.items()
            )
        )

    def batch(self, group: ColumnElement[int], member: str) -> ColumnElement[int]:
        """The number of the batch of a member who is in the group at a place."""
        firsts: dict[Group, list[tuple[int, int]]] = {one: [] for one in self.groups}
        for number, parcel in self.batches.items():
            firsts[parcel.group].append((parcel.first, number))
        found = {place: literal_column(_found(member, firsts[one]), BigId) for place, one in enumerate(self.groups)}
        return case(found, value=group)


def planned(session: Session, blast: Blast, people: Table, batch_size: int, first: int) -> Plan:
    """Choose for each pair of languages, and make the batches that hold these people, numbered as deliveries are: from
    that of the `first` of them on, for there are no more batches than people."""
    counted = _counted(session, people, batch_size)
    pairs = Counter[Pair]()
    for _, one, other, part, people_there in counted:
        pairs[one, other, part] += people_there
    places = _places(session, blast, [pair for pair, _ in pairs.most_common()])
    stretches = Counter[tuple[int, Group]]()
    for at, one, other, part, people_there in counted:
        stretches[at, places[one, other, part].group] += people_there
    parcels = pack(((at, group, number) for (at, group), number in stretches.items()), batch_size)
    batches = dict(enumerate(parcels, start=numbered(blast.id, first)))
    if batches:
        session.execute(insert(Batch), [_row(blast, number, parcel) for number, parcel in batches.items()])
    return Plan(places, batches)


def _row(blast: Blast, number: int, parcel: Parcel[Group]) -> dict[str, object]:
    state = BatchState.OPEN if parcel.group.wave == AT_ONCE else BatchState.HELD
    return {"id": number, "blast_id": blast.id, "size": parcel.size, "state": state, **parcel.group._asdict()}


def _places(session: Session, blast: Blast, pairs: Sequence[Pair]) -> dict[Pair, Place]:
    """Where pairs go. Whoever waits for their language waits for that alone, and not for an hour or the first few."""
    late = {wave.language: wave.n for wave in of_blast(session, blast.id, Kind.LANGUAGE)} if blast.waits else {}
    # A language that has come since the first of them were frozen is late all the same: its wave is open for all.
    languages = frozen_languages(session, blast, list(late))
    places = {}
    for one, other, part in pairs:
        choice, otherwise = given(languages, one, other)
        group = Group(choice.language, *wave_and_variant(part))
        if otherwise is not None:
            held = (otherwise.language, otherwise.caught_by.value)
            group = Group(choice.language, late[choice.language], FIRST, *held)
        places[one, other, part] = Place(group, choice.caught_by)
    return places


def _counted(session: Session, people: Table, batch_size: int) -> Sequence[Row[int, str, str | None, int, int]]:
    """(first number of a stretch, language, second language, part, people) of these people."""
    width = stretch(batch_size)
    first = people.c.member_id // width * width
    languages = people.c.language, people.c.second_language
    parts = [people.c[PART]] if PART in people.c else []
    part = parts[0] if parts else literal(AT_ONCE)
    asked = select(first, *languages, part, func.count()).group_by(first, *languages, *parts)
    return session.execute(asked.order_by(first)).all()


def _found(member: str, firsts: Sequence[tuple[int, int]]) -> str:
    """The number beside the last of `firsts` that is not above the column `member`: by halves, for there are many.
    As text: of numbers only, and a hundred times as fast to spell."""
    if len(firsts) == 1:
        return str(firsts[0][1])
    half = len(firsts) // 2
    below, above = _found(member, firsts[:half]), _found(member, firsts[half:])
    return f"CASE WHEN {member} < {firsts[half][0]} THEN {below} ELSE {above} END"
