"""Audience: candidates become members of a list. What is known stays, blanks are filled, who left stays away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mobilizer.audience.candidates import Candidate, Verdict
from mobilizer.audience.keeping import insert_new
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.audience.suppressing import suppressed_among
from mobilizer.audience.traces import ImportTrace, seal_change
from mobilizer.db import clock
from mobilizer.keys import Keyring, share_code

Standings = Mapping[int, Standing]

# What else is known of a member beside the name, as a candidate has it too.
_COLUMNS = ("language", "second_language", "country", "time_zone")


Known = Literal["keep", "fill", "replace"]


@dataclass(frozen=True, slots=True)
class Joining:
    """Where candidates go: the list, and what is written down about how they came. `import_id` is what brings them.

    `known` says what becomes of members we have already: they stay as they are, their blanks are filled, or what the
    file says takes the place of what was known.
    """

    list_id: int
    source: str
    wording: str
    how: str = "import"
    known: Known = "fill"
    import_id: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one candidate: what changes of a known member, and whether they join the list."""

    verdict: Verdict
    change: dict[str, Any] = field(default_factory=dict)
    joins: bool = False


def decide(
    candidate: Candidate, known: Identity | None, member: Member | None, standings: Standings, joining: Joining
) -> Decision:
    """What to do with a candidate who is not suppressed. `standings` are theirs on every list, by list id.

    Whoever left this list, or every list they were on, is not brought back by a file: only they can do that.
    """
    if member is None or known is None:
        return Decision("new", joins=True)
    left = [s == Standing.UNSUBSCRIBED for s in standings.values()]
    if standings.get(joining.list_id) == Standing.UNSUBSCRIBED or (left and all(left)):
        return Decision("unsubscribed")
    change = _change(candidate, known, member, joining.known)
    joins = joining.list_id not in standings
    return Decision("updated" if change or joins else "unchanged", change, joins)


def _change(candidate: Candidate, known: Identity, member: Member, mode: Known) -> dict[str, Any]:
    """What a candidate changes of a member: column -> value, and 'name'."""
    if mode == "keep":
        return {}
    there = {"name": known.name, **{name: getattr(member, name) for name in _COLUMNS}}
    told = {name: getattr(candidate, name) for name in there if getattr(candidate, name)}
    if not candidate.says_language:
        del told["language"]
    over = mode == "replace"
    change = {name: value for name, value in told.items() if (over and value != there[name]) or not there[name]}
    if change.get("second_language") == change.get("language", member.language):
        del change["second_language"]
    attributes = {**candidate.attributes, **member.attributes, **(candidate.attributes if over else {})}
    return change if attributes == member.attributes else {**change, "attributes": attributes}


def judge(
    session: Session, keyring: Keyring, joining: Joining, candidates: Mapping[bytes, Candidate]
) -> tuple[dict[bytes, Decision], dict[bytes, Member]]:
    """What would become of candidates, by address key, and which of them are members. Nothing is written."""
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
        decisions[key] = decide(candidate, known, member, theirs, joining)
    return decisions, members


def join(
    session: Session, keyring: Keyring, joining: Joining, candidates: Mapping[bytes, Candidate]
) -> dict[bytes, Verdict]:
    """Bring candidates, by address key, onto a list; returns what became of each. All in a few statements."""
    decisions, members = judge(session, keyring, joining, candidates)
    _add(session, keyring, joining, {key: candidates[key] for key, d in decisions.items() if d.verdict == "new"})
    touched = [key for key, decision in decisions.items() if decision.joins or decision.change]
    numbers = _numbers(session, touched)
    _trace(session, keyring, joining, numbers, decisions, members)
    for key, decision in decisions.items():
        if decision.change:
            change_member(session, keyring, members[key], decision.change)
    _subscribe(session, joining, [number for key, number in numbers.items() if decisions[key].joins])
    return {key: decision.verdict for key, decision in decisions.items()}


def facts_of(member: Member, keyring: Keyring, names: Iterable[str]) -> dict[str, Any]:
    """What is known of a member, by the names of columns and 'name'. Raises keys.BadSeal."""
    return {name: member.identity(keyring).name if name == "name" else getattr(member, name) for name in names}


def change_member(session: Session, keyring: Keyring, member: Member, change: Mapping[str, Any]) -> None:
    """Change what is known of a member, by the names of columns and 'name'; nothing for no change."""
    columns = dict(change)
    if "name" in columns:
        identity = Identity(member.identity(keyring).email, columns.pop("name"))
        columns["sealed"] = seal_identity(keyring, identity)[2]
    if columns:
        session.execute(update(Member).where(Member.id == member.id).values(**columns))


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


def _numbers(session: Session, keys: Sequence[bytes]) -> dict[bytes, int]:
    rows = session.execute(
        select(Member.address_key, Member.id).where(Member.address_key.in_(keys)).order_by(Member.id)
    )
    return {key: number for key, number in rows}  # noqa: C416 - rows, not pairs


def _trace(
    session: Session,
    keyring: Keyring,
    joining: Joining,
    numbers: Mapping[bytes, int],
    decisions: Mapping[bytes, Decision],
    members: Mapping[bytes, Member],
) -> None:
    """Write down what becomes of whom, before it does."""
    if joining.import_id is None:
        return
    rows = []
    for key, number in numbers.items():
        change = decisions[key].change
        before = facts_of(members[key], keyring, change) if change else {}
        rows.append(
            {
                "import_id": joining.import_id,
                "member_id": number,
                "added": decisions[key].verdict == "new",
                "joined": decisions[key].joins,
                "changed": seal_change(
                    keyring, joining.import_id, number, {name: (before[name], change[name]) for name in change}
                ),
            }
        )
    insert_new(session, ImportTrace, rows, ["import_id", "member_id"])


def _subscribe(session: Session, joining: Joining, numbers: Sequence[int]) -> None:
    # One moment for both: a subscription that has not changed since is known by it.
    moment = session.scalar(select(clock()))
    rows = [
        {
            "list_id": joining.list_id,
            "member_id": number,
            "standing": Standing.CONFIRMED,
            "how": joining.how,
            "wording": joining.wording,
            "joined_at": moment,
            "changed_at": moment,
        }
        for number in numbers
    ]
    insert_new(session, Subscription, rows, ["list_id", "member_id"])
