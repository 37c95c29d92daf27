"""Web: what needs a person's decision before anything else. Held blasts, late ones, mails nobody can say of, people who
wait for a choice."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.delivery.progress import undecided
from mobilizer.delivery.waves import Kind, held_for_a_person
from mobilizer.web.appeal_head import title_of
from mobilizer.web.blast_head import NOT_LAUNCHED
from mobilizer.web.words import ngettext, problem

LATELY = 50  # blasts that are looked at


@dataclass(frozen=True, slots=True)
class Need:
    """One blast and what it waits for."""

    title: str
    language: str
    state: str
    text: str
    href: str


def needs(session: Session) -> list[Need]:
    """What waits for a person, the newest blast first; a blast may need two things."""
    stopped = select(Blast).where(
        or_(Blast.state == BlastState.HELD, (Blast.state == BlastState.READY) & (Blast.hold_reason != ""))
    )
    found = [(blast.id, _stopped(blast)) for blast in session.scalars(stopped.order_by(Blast.id.desc()).limit(LATELY))]
    launched = select(Blast).where(Blast.state.not_in(NOT_LAUNCHED)).order_by(Blast.id.desc()).limit(LATELY)
    blasts = {blast.id: blast for blast in session.scalars(launched)}
    found += [(blast_id, _unsure(blasts[blast_id], count)) for blast_id, count in undecided(session, [*blasts]).items()]
    found += [
        (blast_id, _to_choose(session.get_one(Blast, blast_id), kind, people))
        for blast_id, kind, people in held_for_a_person(session)
    ]
    return [need for _id, need in sorted(found, key=lambda item: -item[0])]


def _stopped(blast: Blast) -> Need:
    where = "blasts.progress" if blast.state == BlastState.HELD else "blasts.launch"
    held_for = blast.held_for
    return _need(blast, problem(held_for) if held_for else "", url_for(where, slug=blast.slug))


def _unsure(blast: Blast, count: int) -> Need:
    text = ngettext("%(n)s mail is uncertain: leave it, or send it again?",
                    "%(n)s mails are uncertain: leave them, or send them again?", count)  # fmt: skip
    return _need(blast, text, url_for("blasts.uncertain", slug=blast.slug))


def _to_choose(blast: Blast, kind: str, people: int) -> Need:
    if kind == Kind.WINNER:
        text = ngettext("%(n)s person is held until you choose the best variant.",
                        "%(n)s people are held until you choose the best variant.", people)  # fmt: skip
    else:
        text = ngettext("%(n)s person is held until you say so: look how the first few take it.",
                        "%(n)s people are held until you say so: look how the first few take it.", people)  # fmt: skip
    return _need(blast, text, url_for("blasts.progress", slug=blast.slug))


def _need(blast: Blast, text: str, href: str) -> Need:
    return Need(title_of(blast.appeal), blast.appeal.source_language, blast.state, text, href)
