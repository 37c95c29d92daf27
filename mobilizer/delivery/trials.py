"""Delivery: trials. So many people of a language get each of its variants; the others of it wait for the best one.

Who gets which is drawn by a lot that depends on the blast and the member alone. Where the lots of a language are cut is
worked out once, of the whole audience: so each variant has as many people as the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Subquery,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from mobilizer.appeals.variants import VARIANTS
from mobilizer.audience.audience import audience
from mobilizer.audience.draws import lot_of
from mobilizer.audience.members import Member
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, Rendition
from mobilizer.blasts.departure import Departure
from mobilizer.blasts.waiting import Languages, frozen_languages, given

Cuts = dict[str, int]  # for each variant, the lot below which people get it if they do not get one before it
Pair = tuple[str, str | None]  # a member's two languages


def wave_and_variant(part: int) -> tuple[int, str]:
    """What a part of an audience is: that of a wave, or, from 0 downwards, that which gets a variant at once."""
    return max(part, 0), VARIANTS[max(-part, 0)]


def cuts(
    session: Session, blast: Blast, departure: Departure, late: Collection[str], only: ColumnElement[bool] | None
) -> dict[str, Cuts]:
    """Where the lots are cut of each language that is tried, of the audience as it is now. Nobody who waits for a
    language of `late` is in a trial; a language with one wording, or too few people, is not tried."""
    included, excluded = (lifecycle.lists_of(session, blast.id, included=which) for which in (True, False))
    people = audience(included, excluded, only=only).add_columns(lot_of(blast.id).label("lot")).subquery()
    pairs = (people.c.language, people.c.second_language)
    counted = {(row[0], row[1]): row[2] for row in session.execute(select(*pairs, func.count()).group_by(*pairs))}
    spoken = _by_language(frozen_languages(session, blast, late), counted)
    frozen = _variants(session, blast.id)
    tried = {
        tag: same
        for tag, same in spoken.items()
        if departure.tries(sum(counted[pair] for pair in same), len(frozen[tag]))
    }
    found: dict[str, Cuts] = {tag: {} for tag in tried}
    for tag, lot in _lots(session, people, tried, departure.sample) if tried else ():
        if len(found[tag]) < len(frozen[tag]):
            found[tag][frozen[tag][len(found[tag])]] = lot
    return found


def part_of(
    session: Session,
    blast: Blast,
    tried: Mapping[str, tuple[int, Cuts]],
    late: Collection[str],
    numbers: tuple[int, int],
) -> ColumnElement[int]:
    """The part (see `wave_and_variant`) of members numbered above the first of `numbers` and no higher than the other;
    `tried` has the wave and the cuts of each language that is."""
    some = select(Member.language, Member.second_language).where(Member.id > numbers[0], Member.id <= numbers[1])
    spoken = _by_language(
        frozen_languages(session, blast, late), [(row[0], row[1]) for row in session.execute(some.distinct())]
    )
    whens = [
        (_is_one_of(Member.__table__, spoken[tag]), _drawn(lot_of(blast.id), wave, mine))
        for tag, (wave, mine) in tried.items()
        if tag in spoken
    ]
    return case(*whens, else_=literal(0)) if whens else literal(0)


def _drawn(lot: ColumnElement[int], wave: int, mine: Cuts) -> ColumnElement[int]:
    ordered = sorted(mine.items(), key=lambda cut: VARIANTS.index(cut[0]))
    return case(*((lot < below, -VARIANTS.index(variant)) for variant, below in ordered), else_=wave)


def _lots(
    session: Session, people: Subquery, tried: Mapping[str, Iterable[Pair]], sample: int
) -> Sequence[Row[str, int]]:
    """Of each language, the lots of whoever comes next behind the people of one variant more."""
    tag = case(*((_is_one_of(people, pairs), literal(one)) for one, pairs in tried.items()))
    place = func.row_number().over(partition_by=tag, order_by=people.c.lot)
    ranked = select(tag.label("tag"), people.c.lot, place.label("place")).subquery()
    behind = [sample * n + 1 for n in range(1, len(VARIANTS) + 1)]
    asked = select(ranked.c.tag, ranked.c.lot).where(ranked.c.tag.is_not(None), ranked.c.place.in_(behind))
    return session.execute(asked.order_by(ranked.c.tag, ranked.c.place)).all()


def _by_language(languages: Languages, pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """The pairs of languages whose people get the same one, without those who wait for it."""
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        choice, otherwise = given(languages, *pair)
        if otherwise is None:
            found.setdefault(choice.language, []).append(pair)
    return found


def _is_one_of(people: FromClause, pairs: Iterable[Pair]) -> ColumnElement[bool]:
    first, second = people.c.language, people.c.second_language
    return or_(*(and_(first == one, second.is_(None) if other is None else second == other) for one, other in pairs))


def _variants(session: Session, blast_id: int) -> dict[str, list[str]]:
    """The variants of each language whose words are frozen."""
    asked = select(Rendition.language, Rendition.variant).where(Rendition.blast_id == blast_id)
    found: dict[str, list[str]] = {}
    for tag, variant in session.execute(asked.order_by(Rendition.variant)):
        found.setdefault(tag, []).append(variant)
    return found
