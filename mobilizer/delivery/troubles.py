"""Delivery: troubles. Why mails were refused, by cause and by domain, counted over all rows of a blast."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member, open_identity
from mobilizer.delivery.causes import status_of
from mobilizer.delivery.ledger import Delivery, DeliveryState, is_not_sent
from mobilizer.keys import Keyring

MOST_CAUSES = 50
MOST_DOMAINS = 20  # the page says so in words


@dataclass(frozen=True, slots=True)
class Refused:
    """One cause: the verdict, the reply's code and enhanced status (RFC 3463), whose mailboxes, how many people.

    `reply` is one of the replies in full; it may quote an address."""

    reason: str
    code: int | None
    status: str
    provider: str
    people: int
    reply: str


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain whose mails were refused: how many people, and their reasons, most first."""

    name: str
    people: int
    reasons: tuple[tuple[str, int], ...]


def refused(session: Session, blast_id: int) -> list[Refused]:
    """The causes, most people first; MOST_CAUSES at most."""
    keys = (Delivery.reason, Delivery.code, status_of(Delivery.reply), func.coalesce(Delivery.provider, ""))
    people = func.count()
    rows = session.execute(
        select(*keys, people, func.max(Delivery.reply))
        .where(_refused(blast_id))
        .group_by(*keys)
        .order_by(people.desc(), Delivery.reason)
        .limit(MOST_CAUSES)
    )
    return [Refused(*row) for row in rows]


def domains(session: Session, keyring: Keyring, blast_id: int) -> list[Domain]:
    """The MOST_DOMAINS domains that refused most.

    Rows are counted by the domains' blind keys. To say a name, one address of it is opened: MOST_DOMAINS at most, and
    nothing of them is kept. Raises keys.BadSeal.
    """
    of_people, people = Member.id == Delivery.member_id, func.count()
    most = session.execute(
        select(Member.domain_key, people, func.min(Member.id))
        .join(Delivery, of_people)
        .where(_refused(blast_id))
        .group_by(Member.domain_key)
        .order_by(people.desc(), func.min(Member.id))
        .limit(MOST_DOMAINS)
    ).all()
    keys, someone = [row[0] for row in most], [row[2] for row in most]
    why = (
        select(Member.domain_key, Delivery.reason, people)
        .join(Delivery, of_people)
        .where(_refused(blast_id), Member.domain_key.in_(keys))
        .group_by(Member.domain_key, Delivery.reason)
        .order_by(people.desc())
    )
    reasons: dict[bytes, list[tuple[str, int]]] = defaultdict(list)
    for key, reason, counted in session.execute(why):
        reasons[key].append((reason, counted))
    sealed = select(Member.domain_key, Member.sealed, Member.address_key).where(Member.id.in_(someone))
    names = {key: open_identity(keyring, *one).domain for key, *one in session.execute(sealed)}
    return [Domain(names[key], counted, tuple(reasons[key])) for key, counted, _someone in most]


def _refused(blast_id: int) -> ColumnElement[bool]:
    return and_(Delivery.blast_id == blast_id, is_not_sent(), Delivery.state == DeliveryState.REJECTED)
