"""Signups: confirming. By the act of an address's owner a wish becomes a member on a list; said twice, it is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mobilizer.audience import leaving_reasons, standing
from mobilizer.audience.joining import change_member
from mobilizer.audience.keeping import insert_new
from mobilizer.audience.members import Member, seal_identity
from mobilizer.audience.merged import MergedMember
from mobilizer.audience.sign_ups import AskedAddress, SignUp
from mobilizer.audience.suppressions import Suppression
from mobilizer.codes import share_codes
from mobilizer.db import clock
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.recruits import recruited
from mobilizer.keys import Keyring
from mobilizer.signups.asking import mailbox_key

FORM, SHARED = "form", "share link"  # sources of members


@dataclass(frozen=True, slots=True)
class Joined:
    """Who joined: their number and share code. `first` says that it happened just now."""

    member: int
    share_code: str
    first: bool


def confirm(session: Session, keyring: Keyring, number: int) -> Joined | None:
    """Let the owner of an address join the list that was asked for; None where the sign-up is gone.

    Whoever was suppressed, or had left, is back by this. A new member is credited to the one whose link brought them;
    a known one keeps who that was, so no two can have brought each other.
    """
    # As it is once it is locked, not as somebody has read it before: two presses at once are one.
    wish = session.get(SignUp, number, with_for_update=True, populate_existing=True)
    if wish is None:
        return None
    if wish.confirmed_at is not None:
        known = session.get_one(Member, wish.member_id)
        return Joined(known.id, known.share_code, first=False)
    mailbox = mailbox_key(keyring, wish.identity(keyring))
    member, new = _member(session, keyring, wish)
    for address_key in {wish.address_key, member.address_key}:
        session.execute(delete(Suppression).where(Suppression.address_key == address_key))
    how = SHARED if wish.via_id else FORM
    standing.subscribe(
        session, member.id, wish.list_id, how=how, wording=wish.wording, wording_language=wish.wording_language
    )
    leaving_reasons.take_back(session, member.id)
    session.add(
        Event(
            kind=EventKind.JOIN,
            member_id=member.id,
            via_id=wish.via_id if new else None,
            blast_id=wish.blast_id,
            language=wish.language,
            channel=wish.channel,
        )
    )
    if new and wish.via_id and wish.blast_id:
        recruited(session, member.id, wish.via_id, wish.blast_id, wish.channel)
    session.execute(delete(AskedAddress).where(AskedAddress.address_key == mailbox))
    wish.confirmed_at, wish.member_id, wish.sealed = clock(), member.id, None
    wish.tries, wish.next_at = 0, clock()
    session.flush()
    return Joined(member.id, member.share_code, first=True)


def _member(session: Session, keyring: Keyring, wish: SignUp) -> tuple[Member, bool]:
    """The member of the address, locked, with what they have just told of themselves; and whether they are new."""
    known = _known(session, wish.address_key)
    if known is None:
        identity = wish.identity(keyring)
        address_key, domain_key, sealed = seal_identity(keyring, identity)
        row: dict[str, Any] = {
            "address_key": address_key,
            "domain_key": domain_key,
            "sealed": sealed,
            "language": wish.language,
            "attributes": {},
            "source": SHARED if wish.via_id else FORM,
            "share_code": share_codes(1)[0],
            "recruited_by_id": wish.via_id,
        }
        # An import may bring the same person in this very moment.
        insert_new(session, Member, [row], ["address_key"])
        member = _known(session, wish.address_key)
        assert member is not None  # noqa: S101 - it is there by now, whoever wrote it
        return member, member.share_code == row["share_code"]
    change = {"language": wish.language} if known.language != wish.language else {}
    said = wish.identity(keyring).name
    if said and known.address_key == wish.address_key and not known.identity(keyring).name:
        change["name"] = said
    change_member(session, keyring, known, change)
    session.refresh(known)
    return known, False


def _known(session: Session, address_key: bytes) -> Member | None:
    """The member of an address; of a record that was merged, the one who stays."""
    own = select(Member).where(Member.address_key == address_key)
    stays = select(Member).join(MergedMember, MergedMember.into_id == Member.id)
    merged = stays.where(MergedMember.address_key == address_key)
    return (
        session.scalars(own.with_for_update()).one_or_none()
        or session.scalars(merged.with_for_update(of=Member)).one_or_none()
    )
