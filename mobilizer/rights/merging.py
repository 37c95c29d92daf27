"""Rights: merging two records of one person. All that was known and done goes to the one who stays; see ADR 18."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, exists, not_, or_, select, update
from sqlalchemy.orm import Session

from mobilizer.audience import leaving_reasons
from mobilizer.audience.changing import OF_THE_PERSON
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.audience.merged import SLICE, MergedMember
from mobilizer.audience.notes import MemberNote, note_binding
from mobilizer.audience.preferences import unite
from mobilizer.audience.suppressing import suppress, suppressed_among
from mobilizer.audience.tagging import put_on, tags_of
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.blasts.drawn import hand_on
from mobilizer.blasts.lifecycle import WHOLE
from mobilizer.delivery import turns
from mobilizer.delivery.ledger import Delivery, DeliveryState, is_open, numbered
from mobilizer.engagement.acts import keep_sums
from mobilizer.engagement.events import Event
from mobilizer.engagement.recruits import merge_recruits
from mobilizer.keys import Keyring
from mobilizer.rights import requests

# What a member's row says that the other record may fill in.
_FILLED = ("second_language", "country", "time_zone")
_CONSENT = ("standing", "joined_at", "how", "wording", "wording_language", "changed_at")
# Of two standings on one list the first of these holds: who left has left.
_STRONGER = (Standing.UNSUBSCRIBED, Standing.CONFIRMED, Standing.PENDING)


class Refused(StrEnum):
    """Why two records are not merged."""

    SAME = "same"  # they are one already
    GONE = "gone"  # there is no such member, or no longer
    LAUNCHING = "launching"  # the people of a blast are being written down: by the numbers that members have now
    OPEN = "open"  # a mail to one of them is under way, or nobody has decided about one whose answer was lost


def refusal(session: Session, one: int, other: int) -> Refused | None:
    """Why the records of two members can't be merged now; None where they can."""
    if one == other:
        return Refused.SAME
    both = (one, other)
    if len(session.scalars(select(Member.id).where(Member.id.in_(both))).all()) != len(both):
        return Refused.GONE
    if _launching(session):
        return Refused.LAUNCHING
    undecided = (Delivery.state == DeliveryState.UNCERTAIN) & Delivery.decided_at.is_(None)
    theirs = Delivery.id.in_(select(numbered(Blast.id, one)).union_all(select(numbered(Blast.id, other))))
    return Refused.OPEN if session.scalar(select(exists().where(theirs, or_(is_open(), undecided)))) else None


def _launching(session: Session) -> bool:
    """Whether some of a blast's people are written down and others not yet."""
    begun = Blast.state.in_((BlastState.LAUNCHING, BlastState.HELD, BlastState.PAUSED)), not_(WHOLE)
    return bool(session.scalar(select(exists().where(*begun))))


def merge(session: Session, keyring: Keyring, gone: int, stays: int) -> Refused | None:
    """Merge the record `gone` into that of the member who `stays`, in one transaction; or say why not.

    Who stays keeps address, number and share code; the other ones lead to them from now on (audience.merged). What was
    known of both stays as it is, blanks are filled. Whoever left a list with either record has left it, whoever left
    them all has left them all, and a complaint holds. Blasts keep their sums. Raises keys.BadSeal.
    """
    # Between two looks at the audience a person would change their number, and be on neither side.
    turns.alone(session)
    # In the order of their numbers, so that two who merge the same two don't wait for each other.
    locked = select(Member).where(Member.id.in_((gone, stays))).order_by(Member.id).with_for_update()
    members = {member.id: member for member in session.scalars(locked)}
    refused = refusal(session, gone, stays)
    if refused is not None:
        return refused
    old, new = members[gone], members[stays]
    dropped = _merge_lists(session, gone, stays)
    _merge_suppressions(session, old, new)
    unite(session, gone, stays)
    leaving_reasons.hand_on(session, keyring, gone, stays)
    _merge_recruits(session, old, new)
    merge_recruits(session, gone, stays)
    _merge_facts(keyring, old, new)
    put_on(session, {stays: tags_of(session, [gone]).get(gone, {}).values()})
    _move_notes(session, keyring, gone, stays)
    _move_past(session, gone, stays)
    hand_on(session, gone, stays)
    _move_request(session, gone, stays)
    _leave_a_trace(session, old, stays, dropped)
    session.delete(old)
    session.flush()
    return None


def _merge_lists(session: Session, gone: int, stays: int) -> list[dict[str, Any]]:
    """Bring the memberships of both together; returns the consents that gave way."""
    rows = select(Subscription, MemberList.name).join(MemberList, MemberList.id == Subscription.list_id)
    locked = rows.where(Subscription.member_id.in_((gone, stays))).with_for_update(of=Subscription)
    names: dict[int, str] = {}
    held: dict[int, dict[int, Subscription]] = {gone: {}, stays: {}}
    for row, name in session.execute(locked):
        held[row.member_id][row.list_id], names[row.list_id] = row, name
    left_at = max(filter(None, map(_left_all, held.values())), default=None, key=lambda at: at)
    dropped = []
    for list_id, theirs in held[gone].items():
        mine = held[stays].get(list_id)
        if mine is None:
            held[stays][list_id] = mine = Subscription(list_id=list_id, member_id=stays, **_consent(theirs))
            session.add(mine)
            continue
        kept, other = sorted((mine, theirs), key=_strength)
        dropped.append({"list": names[list_id], **_told(other)})
        for name, value in _consent(kept).items():
            setattr(mine, name, value)
    if left_at is not None:
        _leave(held[stays].values(), left_at)
    session.flush()
    return dropped


def _left_all(on: dict[int, Subscription]) -> datetime | None:
    """When somebody left the last of their lists, if they have left them all."""
    if not on or any(row.standing != Standing.UNSUBSCRIBED for row in on.values()):
        return None
    return max(row.changed_at for row in on.values())


def _leave(rows: Iterable[Subscription], at: datetime) -> None:
    for row in rows:
        if row.standing != Standing.UNSUBSCRIBED:
            row.standing, row.changed_at = Standing.UNSUBSCRIBED, at


def _strength(row: Subscription) -> tuple[int, float]:
    """Sorts the membership that holds to the front: of two who left the later, of two who joined the earlier."""
    left = row.standing == Standing.UNSUBSCRIBED
    return _STRONGER.index(Standing(row.standing)), -row.changed_at.timestamp() if left else row.joined_at.timestamp()


def _consent(row: Subscription) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _CONSENT}


def _told(row: Subscription) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in _consent(row).items()}


def _merge_suppressions(session: Session, old: Member, new: Member) -> None:
    """What a person said with either address holds; what a mailbox did is so of that mailbox alone."""
    reason = suppressed_among(session, [old.address_key]).get(old.address_key)
    if reason is not None and reason in OF_THE_PERSON:
        suppress(session, new.address_key, reason)


def _merge_recruits(session: Session, old: Member, new: Member) -> None:
    """Whoever came through either came through the one who stays, who themselves came through nobody they brought."""
    candidates = (new.recruited_by_id, old.recruited_by_id)
    both = {old.id, new.id}
    new.recruited_by_id = next((one for one in candidates if one and not both & _line(session, one)), None)
    session.flush()
    recruits = update(Member).where(Member.recruited_by_id == old.id, Member.id != new.id)
    session.execute(recruits.values(recruited_by_id=new.id).execution_options(synchronize_session=False))


def _line(session: Session, number: int | None) -> set[int]:
    """A member, whom they came through, whom those came through, and so on."""
    line: set[int] = set()
    while number is not None and number not in line:
        line.add(number)
        number = session.scalar(select(Member.recruited_by_id).where(Member.id == number))
    return line


def _merge_facts(keyring: Keyring, old: Member, new: Member) -> None:
    """Fill what is not known of the one who stays."""
    for name in _FILLED:
        setattr(new, name, getattr(new, name) or getattr(old, name))
    if new.second_language == new.language:
        new.second_language = None
    new.attributes = {**old.attributes, **new.attributes}
    new.tracking = new.tracking and old.tracking
    new.created_at = min(old.created_at, new.created_at)
    identity = new.identity(keyring)
    if not identity.name:
        named = Identity(identity.email, old.identity(keyring).name)
        new.sealed = seal_identity(keyring, named)[2]


def _move_notes(session: Session, keyring: Keyring, gone: int, stays: int) -> None:
    for note in session.scalars(select(MemberNote).where(MemberNote.member_id == gone)):
        words = keyring.open(note.sealed, note_binding(gone))
        note.member_id, note.sealed = stays, keyring.seal(words, note_binding(stays))
    session.flush()


def _move_past(session: Session, gone: int, stays: int) -> None:
    """Give mails and acts to the one who stays; of a blast in which both are, keep the sums."""
    theirs, shared = _blasts_of(session, gone), _blasts_of(session, gone) & _blasts_of(session, stays)
    for some in _slices(shared):
        _keep_as_sums(session, gone, some)
    for column in (Event.member_id, Event.via_id):
        _set(session, column == gone, **{column.key: stays})
    _set(session, Event.member_id == stays, Event.via_id == stays, via_id=None, step=None)
    for some in _slices(theirs - shared):
        moved = update(Delivery).where(Delivery.id.in_([numbered(blast, gone) for blast in some]))
        session.execute(
            moved.values(id=Delivery.id + (stays - gone), member_id=stays).execution_options(synchronize_session=False)
        )


def _move_request(session: Session, gone: int, stays: int) -> None:
    """Who waits for their record gets it at the address that stays; one that a worker has in hand may have gone."""
    asked = session.get(requests.RecordRequest, gone, with_for_update=True)
    if asked is not None and asked.next_at is not None:
        requests.ask(session, stays)


def _blasts_of(session: Session, member_id: int) -> set[int]:
    """The blasts that a member has a mail in, or did something in, or brought somebody to."""
    did = select(Event.blast_id).where(or_(Event.member_id == member_id, Event.via_id == member_id)).distinct()
    got = select(Blast.id).where(exists().where(Delivery.id == numbered(Blast.id, member_id)))
    return {blast for blast in (*session.scalars(did), *session.scalars(got)) if blast is not None}


def _keep_as_sums(session: Session, gone: int, blasts: Collection[int]) -> None:
    """Add what somebody did in some blasts to the kept sums, and take their number out of the events."""
    here = Event.blast_id.in_(blasts)
    own, brought = (Event.member_id == gone) & here, (Event.via_id == gone) & here
    ids = session.scalars(select(Event.id).where(own | brought).order_by(Event.id).with_for_update()).all()
    keep_sums(session, own, brought)
    _set(session, own, member_id=None)
    _set(session, brought, via_id=None, step=None)
    for some in _slices(ids):
        nobodys = (Event.member_id.is_(None), Event.via_id.is_(None))
        session.execute(delete(Event).where(Event.id.in_(some), *nobodys).execution_options(synchronize_session=False))


def _set(session: Session, *which: Any, **values: int | None) -> None:
    session.execute(update(Event).where(*which).values(**values).execution_options(synchronize_session=False))


def _slices(numbers: Collection[int]) -> Iterator[list[int]]:
    ordered = sorted(numbers)
    yield from (ordered[start : start + SLICE] for start in range(0, len(ordered), SLICE))


def _leave_a_trace(session: Session, old: Member, stays: int, dropped: list[dict[str, Any]]) -> None:
    """Let the number, the share code and the address lead to the one who stays, and so what led to it before."""
    session.execute(update(MergedMember).where(MergedMember.into_id == old.id).values(into_id=stays))
    session.add(
        MergedMember(
            number=old.id,
            into_id=stays,
            address_key=old.address_key,
            sealed=old.sealed,
            share_code=old.share_code,
            dropped=dropped,
        )
    )
    session.flush()
