"""Audience: candidates become members of a list. What is known stays, blanks are filled, who left stays away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mobilizer.audience.candidates import Candidate, Verdict
from mobilizer.audience.keeping import insert_new
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.audience.suppressing import suppressed_among
from mobilizer.keys import Keyring, share_code

Standings = Mapping[int, Standing]


@dataclass(frozen=True, slots=True)
class Joining:
    """Where candidates go: the list, and what is written down about how they came."""

    list_id: int
    source: str
    wording: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one candidate: columns to fill in, and whether they join the list."""

    verdict: Verdict
    fill: dict[str, Any] = field(default_factory=dict)
    joins: bool = False


def decide(
    candidate: Candidate, known: Identity | None, member: Member | None, standings: Standings, list_id: int
) -> Decision:
    """What to do with a candidate who is not suppressed. `standings` are theirs on every list, by list id.

    Whoever left this list, or every list they were on, is not brought back by a file: only they can do that.
    """
    if member is None or known is None:
        return Decision("new", joins=True)
    left = [s == Standing.UNSUBSCRIBED for s in standings.values()]
    if standings.get(list_id) == Standing.UNSUBSCRIBED or (left and all(left)):
        return Decision("unsubscribed")
    fill: dict[str, Any] = {
        name: getattr(candidate, name)
        for name in ("second_language", "country", "time_zone")
        if getattr(candidate, name) and not getattr(member, name)
    }
    if candidate.name and not known.name:
        fill["name"] = candidate.name
    added = {key: value for key, value in candidate.attributes.items() if key not in member.attributes}
    if added:
        fill["attributes"] = {**member.attributes, **added}
    if fill.get("second_language") == member.language:
        del fill["second_language"]
    joins = list_id not in standings
    return Decision("updated" if fill or joins else "unchanged", fill, joins)


def join(
    session: Session, keyring: Keyring, joining: Joining, candidates: Mapping[bytes, Candidate]
) -> dict[bytes, Verdict]:
    """Bring candidates, by address key, onto a list; returns what became of each. All in a few statements."""
    suppressed = suppressed_among(session, candidates)
    members = _members(session, candidates)
    standings = _standings(session, [member.id for member in members.values()])
    decisions: dict[bytes, Decision] = {}
    for key, candidate in candidates.items():
        member = members.get(key)
        if key in suppressed:
            decisions[key] = Decision("suppressed")
            continue
        known = member.identity(keyring) if member else None
        theirs = standings.get(member.id, {}) if member else {}
        decisions[key] = decide(candidate, known, member, theirs, joining.list_id)
    _add(session, keyring, joining, {key: candidates[key] for key, d in decisions.items() if d.verdict == "new"})
    _fill(session, keyring, members, decisions)
    _subscribe(session, joining, [key for key, decision in decisions.items() if decision.joins])
    return {key: decision.verdict for key, decision in decisions.items()}


def _members(session: Session, keys: Mapping[bytes, object]) -> dict[bytes, Member]:
    found = session.scalars(select(Member).where(Member.address_key.in_(keys)))
    return {member.address_key: member for member in found}


def _standings(session: Session, member_ids: Sequence[int]) -> dict[int, dict[int, Standing]]:
    rows = session.execute(
        select(Subscription.member_id, Subscription.list_id, Subscription.standing).where(
            Subscription.member_id.in_(member_ids)
        )
    )
    found: dict[int, dict[int, Standing]] = {}
    for member_id, list_id, standing in rows:
        found.setdefault(member_id, {})[list_id] = Standing(standing)
    return found


def _add(session: Session, keyring: Keyring, joining: Joining, candidates: Mapping[bytes, Candidate]) -> None:
    rows = []
    # Sorted, so that two imports at once take their locks in the same order.
    for _, candidate in sorted(candidates.items()):
        key, domain_key, sealed = seal_identity(keyring, Identity(candidate.email, candidate.name))
        rows.append(
            {
                "address_key": key,
                "domain_key": domain_key,
                "sealed": sealed,
                "language": candidate.language,
                "second_language": candidate.second_language,
                "country": candidate.country,
                "time_zone": candidate.time_zone,
                "attributes": candidate.attributes,
                "source": joining.source,
                "share_code": share_code(),
            }
        )
    insert_new(session, Member, rows, ["address_key"])


def _fill(
    session: Session, keyring: Keyring, members: Mapping[bytes, Member], decisions: Mapping[bytes, Decision]
) -> None:
    for key, decision in decisions.items():
        if not decision.fill:
            continue
        member, changes = members[key], dict(decision.fill)
        if "name" in changes:
            identity = Identity(member.identity(keyring).email, changes.pop("name"))
            changes["sealed"] = seal_identity(keyring, identity)[2]
        session.execute(update(Member).where(Member.id == member.id).values(**changes))


def _subscribe(session: Session, joining: Joining, keys: Sequence[bytes]) -> None:
    ids = session.scalars(select(Member.id).where(Member.address_key.in_(keys)).order_by(Member.id))
    rows = [
        {
            "list_id": joining.list_id,
            "member_id": member_id,
            "standing": Standing.CONFIRMED,
            "how": "import",
            "wording": joining.wording,
        }
        for member_id in ids
    ]
    insert_new(session, Subscription, rows, ["list_id", "member_id"])
