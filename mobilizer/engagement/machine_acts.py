"""Engagement: what machines did with a mail, by the rule that gave them away. It counts for nobody."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.engagement.acts import KeptSum
from mobilizer.engagement.events import ACTS, Event, EventKind

COUNTED = (EventKind.OPEN, EventKind.CLICK, EventKind.VISIT)


@dataclass(slots=True)
class ByRule:
    """The acts of machines that one rule found; `rule` is empty for those of which only sums are kept."""

    rule: str
    opens: int = 0
    clicks: int = 0
    visits: int = 0


def machine_acts(session: Session, blast_id: int) -> list[ByRule]:
    """What machines did in a blast, rule by rule, most acts first."""
    counted = (
        select(Event.machine, Event.kind, ACTS)
        .where(Event.blast_id == blast_id, Event.kind.in_(COUNTED), Event.machine != "")
        .group_by(Event.machine, Event.kind)
    )
    kept = select(KeptSum.kind, KeptSum.acts).where(
        KeptSum.blast_id == blast_id, KeptSum.kind.in_(COUNTED), KeptSum.machine
    )
    found: dict[str, ByRule] = {}
    rows = [*session.execute(counted).all(), *[("", kind, acts) for kind, acts in session.execute(kept)]]
    for rule, kind, acts in rows:
        one = found.setdefault(rule, ByRule(rule))
        match kind:
            case EventKind.OPEN:
                one.opens += acts
            case EventKind.CLICK:
                one.clicks += acts
            case EventKind.VISIT:
                one.visits += acts
    return sorted(found.values(), key=lambda one: (-one.opens - one.clicks - one.visits, one.rule))
