"""Engagement: links. Which link of a mail was clicked, by how many people and how often; machines apart."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, distinct, func, select
from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import Link
from mobilizer.delivery.ledger import Delivery, is_for
from mobilizer.engagement.events import Event, EventKind


@dataclass(frozen=True, slots=True)
class LinkClicks:
    """The n-th link of a blast: its kind and address (as blasts.Link has them), people, and the clicks of people and of
    machines."""

    n: int
    kind: str
    url: str
    people: int = 0
    clicks: int = 0
    machine_clicks: int = 0


def link_clicks(session: Session, blast_id: int, language: str = "") -> list[LinkClicks]:
    """Every link of a blast in the order of its numbers; clicked in one language where it is given.

    Only what is not forgotten is counted: sums that are kept know no link.
    """
    by_person, by_machine = Event.machine == "", Event.machine != ""
    people, clicks = distinct(case((by_person, Event.member_id))), func.sum(Event.times).filter(by_person)
    asked = (
        select(Event.link_n, func.count(people), clicks, func.sum(Event.times).filter(by_machine))
        .where(Event.blast_id == blast_id, Event.kind == EventKind.CLICK)
        .group_by(Event.link_n)
    )
    if language:
        asked = asked.join(Delivery, is_for(Event.blast_id, Event.member_id)).where(Delivery.language == language)
    clicked = {row[0]: (row[1], row[2] or 0, row[3] or 0) for row in session.execute(asked)}
    links = session.scalars(select(Link).where(Link.blast_id == blast_id).order_by(Link.n))
    return [LinkClicks(link.n, link.kind, link.url, *clicked.get(link.n, (0, 0, 0))) for link in links]
