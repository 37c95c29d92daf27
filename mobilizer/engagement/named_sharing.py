"""Engagement: whose sharing brought most, of those who agreed that their name is seen beside it; nobody else."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member, open_identity
from mobilizer.audience.named_sharers import NamedSharer
from mobilizer.audience.preferences import uncounted
from mobilizer.engagement.crowds import CROWD
from mobilizer.engagement.events import ACTS, ONCE_A_VIEWING, Event, EventKind
from mobilizer.engagement.recruits import Recruit
from mobilizer.keys import Keyring

MOST = 500


@dataclass(frozen=True, slots=True)
class Sharing:
    """What came of one member's share link in a blast: viewings by friends, people who joined; and how often it was
    followed where it was posted in public (crowds)."""

    member_id: int
    name: str
    language: str
    watches: int
    joined: int
    crowd: int = 0


def top_sharers(session: Session, keyring: Keyring, blast_id: int, most: int = MOST) -> list[Sharing]:
    """Members who agreed to be named and by whose link somebody came, most joined first, then most viewings by friends.

    Asked for each of those who agreed, who are few; machines are left out.
    """
    joined, watches = _joined(blast_id), _acts(blast_id, EventKind.WATCH)
    crowd = _acts(blast_id, EventKind.VISIT, CROWD)
    rows = session.execute(
        select(Member.id, Member.sealed, Member.address_key, Member.language, watches, joined, crowd)
        .join(NamedSharer, NamedSharer.member_id == Member.id)
        .where(~uncounted(Member.id), Member.tracking, watches + joined + crowd > 0)
        .order_by(joined.desc(), watches.desc(), Member.id)
        .limit(most)
    )
    return [
        Sharing(number, open_identity(keyring, sealed, key).name, language, *counts)
        for number, sealed, key, language, *counts in rows
    ]


def _joined(blast_id: int) -> ScalarSelect[int]:
    brought = select(func.count()).where(Recruit.via_id == Member.id, Recruit.blast_id == blast_id)
    return brought.correlate(Member).scalar_subquery()


def _acts(blast_id: int, kind: EventKind, rule: str = "") -> ScalarSelect[int]:
    done = select(ACTS).where(
        Event.via_id == Member.id,
        Event.kind == kind,
        Event.blast_id == blast_id,
        Event.machine == rule,
        ONCE_A_VIEWING,
    )
    return done.correlate(Member).scalar_subquery()
