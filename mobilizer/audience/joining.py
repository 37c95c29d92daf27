"""Audience: candidates become members of a list. What is known stays, blanks are filled, who left stays away."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from typing import cast as typed

from sqlalchemy import Table, Text, and_, bindparam, cast, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from mobilizer.audience.arriving import Overtaken, bring_in, spans, subscribe_new
from mobilizer.audience.candidates import Candidate, Verdict
from mobilizer.audience.consent import Consent
from mobilizer.audience.imports import OVER, UNDO_DAYS, Import
from mobilizer.audience.keeping import insert_new
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Identity, Member, open_identity, seal_identity
from mobilizer.audience.merged import merged_among
from mobilizer.audience.suppressing import suppressed_among
from mobilizer.audience.tagging import put_on, tags_of
from mobilizer.audience.tags import folded
from mobilizer.audience.traces import TAGS, Change, ImportMention, ImportSpan, ImportTrace, seal_change
from mobilizer.db import Instant, Prepared, clock, keys, one_of_keys
from mobilizer.keys import Keyring
from mobilizer.languages import MEMORY

Standings = Mapping[int, Standing]

_DAY = bindparam("told_joined", type_=Instant())
_TOLD = (
    update(typed(Table, Subscription.__table__))
    .where(Subscription.member_id == bindparam("number"))
    .values(
        how=bindparam("told_how"),
        wording=bindparam("told_wording"),
        wording_language=bindparam("told_language"),
        joined_at=func.coalesce(_DAY, Subscription.joined_at),
        # One moment for both: a subscription that has not changed since is known by it.
        changed_at=func.coalesce(_DAY, Subscription.changed_at),
    )
)

# What else is known of a member beside the name, as a candidate has it too.
_COLUMNS = ("language", "second_language", "country", "time_zone")


Known = Literal["keep", "fill", "replace"]


class Found(NamedTuple):
    """A candidate who is a member already, as the database has them; `standing` is theirs on the list."""

    id: int
    address_key: bytes
    sealed: bytes
    language: str
    second_language: str | None
    country: str | None
    time_zone: str | None
    said: str
    standing: Standing | None

    @property
    def attributes(self) -> dict[str, Any]:
        """What a person's own columns say of them; not to be changed."""
        return _attributes(self.said)

    def identity(self, keyring: Keyring) -> Identity:
        """Open the sealed value. Raises keys.BadSeal."""
        return open_identity(keyring, self.sealed, self.address_key)


_KNOWN = Prepared(
    select(
        Member.id,
        Member.address_key,
        Member.sealed,
        Member.language,
        Member.second_language,
        Member.country,
        Member.time_zone,
        cast(Member.attributes, Text),
        Subscription.standing,
    )
    .outerjoin(Subscription, and_(Subscription.member_id == Member.id, Subscription.list_id == bindparam("list_id")))
    .where(one_of_keys(Member.address_key, "keys")),
    "list_id",
    "keys",
)


@lru_cache(MEMORY)
def _attributes(said: str) -> dict[str, Any]:
    return dict(json.loads(said))


@dataclass(frozen=True, slots=True)
class Joining:
    """Where candidates go: the list, and what is written down about how they came. `import_id` is what brings them.

    `known` says what becomes of members we have already: they stay as they are, their blanks are filled, or what the
    file says takes the place of what was known. `tags` are put on everyone who goes in.
    """

    list_id: int
    source: str
    wording: str
    how: str = "import"
    known: Known = "fill"
    import_id: int | None = None
    tags: tuple[str, ...] = ()
    wording_language: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one candidate: what changes of a known member, whether they join the list, tags they get."""

    verdict: Verdict
    change: dict[str, Any] = field(default_factory=dict)
    joins: bool = False
    tags: tuple[str, ...] = ()


_THERE = ("unchanged", "updated")  # of who was a member: that they are on the list

_NEW, _UNCHANGED = Decision("new", joins=True), Decision("unchanged")


def decide(
    candidate: Candidate,
    known: Identity | None,
    member: Member | Found | None,
    standings: Standings,
    joining: Joining,
    tags: Iterable[str] = (),
) -> Decision:
    """What to do with a candidate who is not suppressed. `standings` are theirs by list id: on this list, and on every
    other where they are not on it. `known` is not asked for in the mode "keep". `tags` are those they have.

    Whoever left this list, or every list they were on, is not brought back by a file: only they can do that.
    """
    lacking = _lacking(candidate, joining, tags)
    if member is None:
        return Decision("new", joins=True, tags=lacking) if lacking else _NEW
    if _has_left(standings, joining.list_id):
        return Decision("unsubscribed")
    change = _change(candidate, known, member, joining.known)
    joins = joining.list_id not in standings
    return Decision("updated", change, joins, lacking) if change or joins or lacking else _UNCHANGED


def _lacking(candidate: Candidate, joining: Joining, tags: Iterable[str]) -> tuple[str, ...]:
    """The tags that a candidate gets: a file puts tags on, and takes none off."""
    wanted = (*candidate.tags, *joining.tags)
    if not wanted:
        return ()
    has = {folded(name) for name in tags}
    told = {folded(name): name for name in wanted}
    return tuple(name for key, name in told.items() if key not in has)


def _change(candidate: Candidate, known: Identity | None, member: Member | Found, mode: Known) -> dict[str, Any]:
    """What a candidate changes of a member: column -> value, and 'name'."""
    if mode == "keep" or known is None:
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
) -> tuple[dict[bytes, Decision], dict[bytes, Found]]:
    """What would become of candidates, by address key, and which of them are members. Nothing is written.

    Whose record was merged into another is the member who stays: they join, and nothing that is known of them changes.
    """
    # In this order: who is erased or merged in between was a member, or is suppressed or merged, and never looks new.
    members = _members(session, joining.list_id, candidates)
    merged = merged_among(session, candidates)
    members |= _stayers(session, joining.list_id, merged)
    suppressed = suppressed_among(session, {*candidates, *merged.values()})
    elsewhere = _standings(session, [member.id for member in members.values() if member.standing is None])
    tagged = joining.tags or any(candidate.tags for candidate in candidates.values())
    tags = tags_of(session, [member.id for member in members.values()]) if tagged else {}
    # Nearly all of a first import are new, and nothing else is to be said of them.
    decisions = {} if tagged else dict.fromkeys(candidates, _NEW)
    for key in candidates if tagged else {*members, *merged, *suppressed} & candidates.keys():
        candidate, member = candidates[key], members.get(key)
        if key in suppressed or merged.get(key) in suppressed:
            decisions[key] = Decision("suppressed")
        elif merged.get(key) in candidates:
            decisions[key] = _UNCHANGED  # the same person, by the address that they have now
        elif member is None:
            decisions[key] = decide(candidate, None, None, {}, joining)
        else:
            known = member.identity(keyring) if joining.known != "keep" and key not in merged else None
            theirs = {joining.list_id: member.standing} if member.standing else elsewhere.get(member.id, {})
            decisions[key] = decide(candidate, known, member, theirs, joining, tags.get(member.id, {}).values())
    return decisions, members


def join(
    session: Session, keyring: Keyring, joining: Joining, candidates: Mapping[bytes, Candidate]
) -> dict[bytes, Verdict]:
    """Bring candidates, by address key, onto a list; returns what became of each. All in a few statements.

    Raises arriving.Overtaken; then nothing of it may stay.
    """
    decisions, members = judge(session, keyring, joining, candidates)
    _hold_still(session, [members[key] for key in members if decisions[key].joins], joining.list_id)
    new = {key: candidates[key] for key, decision in decisions.items() if decision.verdict == "new"}
    numbers = bring_in(session, keyring, new, joining.source)
    subscribe_new(
        session, spans(numbers.values()), joining.list_id, joining.how, joining.wording, joining.wording_language
    )
    _consents(session, joining, {numbers[key]: one.consent for key, one in new.items() if one.consent})
    touched = {
        key: numbers[key] if key in numbers else members[key].id
        for key, decision in decisions.items()
        if decision.change or decision.tags or (decision.joins and key in members)
    }
    if joining.import_id is not None:
        _trace(session, keyring, joining.import_id, touched, decisions, members)
        _span(session, joining.import_id, (number for key, number in numbers.items() if key not in touched))
        there = {
            one.id for key, one in members.items() if decisions[key].verdict in _THERE and not decisions[key].joins
        }
        _mention(session, joining.list_id, joining.import_id, sorted(there))
    for key, member in members.items():
        change_member(session, keyring, member, decisions[key].change)
    joiners = {members[key].id: candidates[key].consent for key in touched if key in members and decisions[key].joins}
    _subscribe(session, joining, list(joiners))
    _consents(session, joining, {number: consent for number, consent in joiners.items() if consent})
    put_on(session, {number: decisions[key].tags for key, number in touched.items() if decisions[key].tags})
    return {key: decision.verdict for key, decision in decisions.items()}


def facts_of(member: Member | Found, keyring: Keyring, names: Iterable[str]) -> dict[str, Any]:
    """What is known of a member, by the names of columns and 'name'. Raises keys.BadSeal."""
    return {name: member.identity(keyring).name if name == "name" else getattr(member, name) for name in names}


def change_member(session: Session, keyring: Keyring, member: Member | Found, change: Mapping[str, Any]) -> None:
    """Change what is known of a member, by the names of columns and 'name'; nothing for no change.

    Nothing either where their address was changed since they were read: a name sealed for the old one could not be
    opened any more.
    """
    columns = dict(change)
    if "name" in columns:
        identity = Identity(member.identity(keyring).email, columns.pop("name"))
        columns["sealed"] = seal_identity(keyring, identity)[2]
    if columns:
        same = Member.id == member.id, Member.address_key == member.address_key
        session.execute(update(Member).where(*same).values(**columns))


def _members(session: Session, list_id: int, address_keys: Iterable[bytes]) -> dict[bytes, Found]:
    connection = session.connection()
    rows = _KNOWN.run(connection, (list_id, keys(connection, address_keys)))
    return {member.address_key: member for member in map(Found._make, rows)}


def _stayers(session: Session, list_id: int, merged: Mapping[bytes, bytes]) -> dict[bytes, Found]:
    """The members whom merged records lead to, by the addresses of those."""
    there = _members(session, list_id, set(merged.values())) if merged else {}
    return {key: there[stays] for key, stays in merged.items() if stays in there}


def on_list(session: Session, list_id: int, address_keys: Collection[bytes]) -> dict[bytes, int]:
    """Those of some addresses whose people are on a list, or asked to be: address key -> number."""
    there = _members(session, list_id, address_keys)
    there |= _stayers(session, list_id, merged_among(session, address_keys))
    staying = (Standing.CONFIRMED, Standing.PENDING)
    return {key: member.id for key, member in there.items() if member.standing in staying}


def _hold_still(session: Session, joiners: Collection[Found], list_id: int) -> None:
    """Let nobody leave until this transaction ends who is about to join one more list; and look again, for they may
    have left a moment ago. Raises arriving.Overtaken if one has."""
    if not joiners or session.get_bind().dialect.name == "sqlite":
        return  # there, whoever writes is alone
    numbers = sorted({member.id for member in joiners})
    held = select(Member.id).where(Member.id.in_(numbers)).order_by(Member.id).with_for_update(key_share=True)
    there = session.scalars(held).all()
    standings = _standings(session, numbers)
    gone = [number for number in there if _has_left(standings.get(number, {}), list_id)]
    if gone or len(there) < len(numbers):
        raise Overtaken


def _has_left(standings: Standings, list_id: int) -> bool:
    """Whether a person left a list, or every list they were on: a file does not bring them back."""
    left = [standing == Standing.UNSUBSCRIBED for standing in standings.values()]
    return standings.get(list_id) == Standing.UNSUBSCRIBED or (bool(left) and all(left))


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


def _trace(
    session: Session,
    keyring: Keyring,
    import_id: int,
    numbers: Mapping[bytes, int],
    decisions: Mapping[bytes, Decision],
    members: Mapping[bytes, Found],
) -> None:
    """Write down what becomes of whom, before it does."""
    rows = []
    for key, number in numbers.items():
        change, tags = decisions[key].change, decisions[key].tags
        before = facts_of(members[key], keyring, change) if change else {}
        done: Change = {name: (before[name], change[name]) for name in change}
        rows.append(
            {
                "import_id": import_id,
                "member_id": number,
                "added": decisions[key].verdict == "new",
                "joined": decisions[key].joins,
                "changed": seal_change(keyring, import_id, number, {**done, TAGS: ([], list(tags))} if tags else done),
            }
        )
    insert_new(session, ImportTrace, rows, ["import_id", "member_id"])


def _span(session: Session, import_id: int, numbers: Iterable[int]) -> None:
    rows = [{"import_id": import_id, "first_id": first, "last_id": last} for first, last in spans(numbers)]
    if rows:
        session.execute(insert(ImportSpan), rows)


def _mention(session: Session, list_id: int, import_id: int, numbers: Sequence[int]) -> None:
    """Remember who was named and was there already, if another import into the list can be undone now or later."""
    others = exists().where(
        Import.list_id == list_id,
        Import.id != import_id,
        or_(Import.state == "running", and_(Import.state.in_(OVER), Import.finished_at > clock(-UNDO_DAYS * 86400))),
    )
    if numbers and session.scalar(select(others)):
        rows = [{"import_id": import_id, "first_id": first, "last_id": last} for first, last in spans(numbers)]
        insert_new(session, ImportMention, rows, ["import_id", "first_id", "last_id"])


def _consents(session: Session, joining: Joining, told: Mapping[int, Consent]) -> None:
    """Write down what rows themselves tell of the consent of members, by number, who have just come onto the list."""
    rows = [
        {
            "number": number,
            "told_how": one.how or joining.how,
            "told_wording": one.wording or joining.wording,
            "told_language": one.wording_language if one.wording else joining.wording_language,
            "told_joined": datetime.fromisoformat(one.joined).replace(tzinfo=UTC) if one.joined else None,
        }
        for number, one in told.items()
    ]
    if rows:
        session.connection().execute(_TOLD.where(Subscription.list_id == joining.list_id), rows)


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
            "wording_language": joining.wording_language,
            "joined_at": moment,
            "changed_at": moment,
        }
        for number in numbers
    ]
    insert_new(session, Subscription, rows, ["list_id", "member_id"])
