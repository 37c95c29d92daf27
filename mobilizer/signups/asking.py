"""Signups: asking. Somebody typed an address into a list's form; what follows goes to that address alone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from mobilizer.audience.addresses import mailbox_of
from mobilizer.audience.members import Identity, seal_identity
from mobilizer.audience.sign_ups import AskedAddress, SignUp
from mobilizer.db import clock
from mobilizer.keys import Keyring

MOST_LETTERS = 3  # to one mailbox that never confirms, until its fingerprint is forgotten
ASKED_DAYS = 365  # it is kept for, after the last letter
AGAIN_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants to join which list, in which language; `wording` is what they agreed to, to the letter.

    `via` is the member whose share link brought them, `blast` the one that link belongs to (0 is none), `channel` how
    the link came.
    """

    list_id: int
    identity: Identity
    language: str
    wording: str
    wording_language: str
    via: int = 0
    blast: int = 0
    channel: str = ""


def ask(session: Session, keyring: Keyring, wish: Wish) -> int:
    """Note a wish, for its letter to go; the sign-up's number. Who is suppressed is asked like anybody: coming back is
    theirs to decide, and nobody else's.

    A mailbox gets one letter a day, and no more than three; `ana+1@` and `ana+2@` are one. A wish beyond that is noted
    without who it is from, and no letter goes: it takes the same work, so that how long it takes tells nothing either.
    """
    address_key, _, sealed = seal_identity(keyring, wish.identity)
    more = _one_more(session, mailbox_key(keyring, wish.identity))
    return session.scalars(
        insert(SignUp)
        .values(
            list_id=wish.list_id,
            address_key=address_key,
            sealed=sealed if more else None,
            language=wish.language,
            wording=wish.wording,
            wording_language=wish.wording_language,
            via_id=wish.via or None,
            blast_id=wish.blast or None,
            channel=wish.channel,
            next_at=clock() if more else None,
        )
        .returning(SignUp.id)
    ).one()


def mailbox_key(keyring: Keyring, identity: Identity) -> bytes:
    """The fingerprint that the letters to a mailbox are counted by."""
    return keyring.address_key(mailbox_of(identity.email))


def forget_asked(session: Session, seconds: float, limit: int) -> int:
    """Delete fingerprints of mailboxes whose last letter is older than `seconds`, at most `limit`; how many."""
    old = select(AskedAddress.address_key).where(AskedAddress.last_at < clock(-seconds)).limit(limit)
    gone = delete(AskedAddress).where(AskedAddress.address_key.in_(old)).returning(AskedAddress.address_key)
    return len(session.scalars(gone).all())


def forget_asking(session: Session, seconds: float, limit: int) -> int:
    """Delete sign-ups that are older than `seconds`, confirmed or not, at most `limit`; how many."""
    old = select(SignUp.id).where(SignUp.asked_at < clock(-seconds)).limit(limit)
    return len(session.scalars(delete(SignUp).where(SignUp.id.in_(old)).returning(SignUp.id)).all())


def _one_more(session: Session, address_key: bytes) -> bool:
    """Count one more letter to an address, unless that is too many. One statement: two forms at once are one letter."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    counted = (
        dialect.insert(AskedAddress)
        .values(address_key=address_key, letters=1)
        .on_conflict_do_update(
            index_elements=[AskedAddress.address_key],
            set_={"letters": AskedAddress.letters + 1, "last_at": clock()},
            where=(AskedAddress.letters < MOST_LETTERS) & (AskedAddress.last_at <= clock(-AGAIN_SECONDS)),
        )
        .returning(AskedAddress.letters)
    )
    return session.scalar(counted) is not None


def settle(session: Session, number: int) -> None:
    """Its letter went, or never will."""
    session.execute(update(SignUp).where(SignUp.id == number).values(next_at=None))
