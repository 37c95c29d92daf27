"""Segments: to save, change and delete one. A blast never goes to more people because a segment is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mobilizer.audience.fields import MemberField
from mobilizer.blasts.blasts import EVERYBODY, Blast, BlastState
from mobilizer.blasts.narrowing import narrowing_of
from mobilizer.db import clock
from mobilizer.problems import N_, Problem
from mobilizer.segments.kinds import NAME, TAGS, Kind
from mobilizer.segments.rules import asked_by
from mobilizer.segments.segments import Segment
from mobilizer.segments.tree import All, BadRules, each_rule, gone, read_rules, write_rules
from mobilizer.segments.voice import names
from mobilizer.slugs import free_slug
from mobilizer.slugs import slug as to_slug

MAX_NAME = 100
# What an address of a page already means.
TAKEN = frozenset({"new"})
OVER = (BlastState.SENT, BlastState.CANCELLED)


def name_problems(name: str) -> list[Problem]:
    """What is wrong with a segment's name."""
    if not name.strip():
        return [Problem("segment.name_missing", N_("A segment needs a name."), where="name")]
    if len(name.strip()) > MAX_NAME:
        message = N_("The name is too long (letters: at most %(most)d).")
        return [Problem("segment.name_long", message, {"most": MAX_NAME}, where="name")]
    return []


def usable_rules(session: Session, data: object) -> All:
    """Rules from JSON whose lists and blasts are there. Raises tree.BadRules."""
    rules = read_rules(data)
    if problems := gone(rules, names(session)):
        raise BadRules(problems)
    return rules


def by_slug(session: Session, slug: str) -> Segment | None:
    """The segment of a slug."""
    return session.scalar(select(Segment).where(Segment.slug == slug))


def segments(session: Session) -> Sequence[Segment]:
    """Every segment by name."""
    return session.scalars(select(Segment).order_by(Segment.name, Segment.id)).all()


def create(session: Session, name: str, rules: All, user_id: int | None = None) -> Segment:
    """Save rules by a name; its slug is made of it."""

    def taken(candidate: str) -> bool:
        return candidate in TAKEN or by_slug(session, candidate) is not None

    slug = free_slug(to_slug(name, "segment"), taken)
    made = Segment(slug=slug, name=name.strip(), rules=write_rules(rules), created_by_id=user_id)
    session.add(made)
    session.flush()
    return made


def change(session: Session, segment: Segment, name: str, rules: All) -> list[Problem]:
    """Change a segment, unless a blast has frozen some of its people by it and not yet the others; then why not.

    The blasts that wait for their launch get a new revision: who saw the old people can't launch them.
    """
    used = blasts_with(session, segment.id, lock=True)
    begun = [blast.slug for blast in used if 0 < blast.frozen_up_to < EVERYBODY]
    if begun:
        message = N_("The blast “%(blast)s” is launching by these rules. Change them when it is on its way.")
        return [Problem("segment.launching", message, {"blast": begun[0]})]
    changed = {"name": name.strip(), "rules": write_rules(rules), "changed_at": clock()}
    session.execute(update(Segment).where(Segment.id == segment.id).values(changed))
    waiting = [blast.id for blast in used if blast.state in (BlastState.DRAFT, BlastState.READY)]
    session.execute(update(Blast).where(Blast.id.in_(waiting)).values(revision=Blast.revision + 1))
    return []


def delete(session: Session, segment: Segment) -> list[Problem]:
    """Delete a segment, unless a blast that is not over names it; then which."""
    used = blasts_with(session, segment.id, lock=True)
    if used:
        message = N_("The blast “%(blast)s” uses this segment. Take it out there first.")
        return [Problem("segment.used", message, {"blast": blast.slug}) for blast in used]
    session.delete(segment)
    session.flush()
    return []


def blasts_with(session: Session, segment_id: int, *, lock: bool = False) -> list[Blast]:
    """The blasts that name a segment and are not over; with `lock` nobody launches one before the transaction ends."""
    unfinished = select(Blast).where(Blast.state.not_in(OVER)).order_by(Blast.id)
    found = session.scalars(unfinished.with_for_update() if lock else unfinished)
    return [blast for blast in found if _names(blast, segment_id)]


def segments_with_field(session: Session, key: str) -> list[Segment]:
    """The segments that name a field, by name."""
    return [one for one in segments(session) if key in _told(one, NAME)]


def segments_with_tag(session: Session, tag_id: int) -> list[Segment]:
    """The segments that ask for a tag, by name."""
    return [one for one in segments(session) if any(tag_id in tags for tags in _told(one, TAGS))]


def retire_field(session: Session, row: MemberField) -> list[Problem]:
    """Offer a field nowhere any more, unless a blast that is not over goes by a segment that names it; then which."""
    for segment in segments_with_field(session, row.key):
        for blast in blasts_with(session, segment.id, lock=True):
            message = N_("The blast “%(blast)s” goes by the segment “%(segment)s”, which names this field.")
            names = {"blast": blast.slug, "segment": segment.name}
            return [Problem("field.used", message, names)]
    row.retired_at = session.scalar(select(clock()))
    return []


def _told(segment: Segment, kind: Kind) -> list[Any]:
    """What the rules of a segment are told of a kind."""
    try:
        rules = read_rules(segment.rules)
    except BadRules:
        return []
    return [
        getattr(one, name) for _, one in each_rule(rules) for name, each in asked_by(one.WORD).items() if each is kind
    ]


def _names(blast: Blast, segment_id: int) -> bool:
    narrowing = narrowing_of(blast.narrowing)
    return segment_id in (*narrowing.segments, *narrowing.without)
