"""Delivery: loads. Turns a pending row into the envelope and the bytes that go to the relay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience.members import open_identity
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.blasts import Rendition as RenditionRow
from mobilizer.blasts.narrowing import narrowing_of
from mobilizer.blasts.tickets import tokens_for, tokens_in_sums
from mobilizer.db import clock
from mobilizer.delivery.claims import Person
from mobilizer.delivery.lanes import Load
from mobilizer.delivery.leases import Lease, Words
from mobilizer.installation import Installation, wrong_keys
from mobilizer.keys import BadSeal, Ticket, UnknownKey
from mobilizer.message.compose import mail
from mobilizer.message.content import Recipient
from mobilizer.message.dkim import Signer
from mobilizer.message.rendition import Rendition
from mobilizer.settings import Settings
from mobilizer.tracking import Tracking

Pair = tuple[Rendition, Rendition]  # as most get it, and as those who turned tracking off do

# What came of some members' sharing of a blast: by member, the values of message.tags.THANKS in a language.
Thanks = Callable[[Session, int, str, Sequence[int]], Mapping[int, Mapping[str, str]]]


def unthanked(
    _session: Session, blast_id: int, _language: str, _members: Sequence[int]
) -> Mapping[int, Mapping[str, str]]:
    """For who knows of no sharing: refuses to make mails that tell what came of it, lest they say that nothing did."""
    raise RuntimeError(f"a mail thanks for sharing blast {blast_id}: say what came of it")


class Unrenderable(ValueError):
    """A row whose message can't be made: its seal is broken, its data doesn't fit."""


class Loader:
    """Makes messages for one slice; renditions and the signing key are read once and kept."""

    def __init__(self, installation: Installation, thanks: Thanks = unthanked) -> None:
        self._asked = thanks
        self._thanks: dict[int, Mapping[str, str]] = {}
        self._keyring = installation.keyring
        self._database = installation.database
        self._settings = installation.settings
        self._signer: Signer | None = None
        self._renditions: dict[Words, Pair] = {}
        self._lease: Lease | None = None
        self._pair: Pair | None = None
        self._in_sums: dict[str, str] = {}
        self._date: datetime | None = None

    def prepare(self, session: Session, lease: Lease) -> None:
        """Read what the messages of a lease have in common; their Date is the database's now.

        Raises where the signing key or a rendition can't be read, or is gone: ours, for which nobody is skipped.
        """
        self._date = session.scalar(select(clock()))
        key = lease.rendition
        if key not in self._renditions:
            row = session.get_one(RenditionRow, key)
            self._renditions[key] = Rendition.loads(row.compiled), Rendition.loads(row.untracked or row.compiled)
        self._pair = self._renditions[key]
        usual, _ = self._pair
        if self._lease is None:
            self._signer = signer_of(self._settings, usual.sender_address)
        self._in_sums = tokens_in_sums(self._keyring, lease.blast) if usual.tracking is Tracking.SUMS else {}
        self._lease = lease

    def meet(self, session: Session, people: Sequence[Person]) -> None:
        """Look up what these people's messages tell each of them, if they do: one question for them all."""
        if self._lease is None or self._pair is None:
            raise RuntimeError("prepare() comes first")
        if not (people and self._pair[0].thanks):
            return
        thanked_for = narrowing_of(session.get_one(Blast, self._lease.blast).narrowing).thanks
        if thanked_for:
            members = [person.member for person in people]
            self._thanks.update(self._asked(session, thanked_for, self._lease.language, members))

    def address(self, person: Person) -> str:
        """The address of one person. Raises keys.BadSeal."""
        return open_identity(self._keyring, person.sealed, person.address_key).email

    def load(self, person: Person) -> Load:
        """The message for one person. Raises Unrenderable; keys.UnknownKey where it is we who lack a key."""
        if self._lease is None or self._date is None or self._pair is None:
            raise RuntimeError("prepare() comes first")
        usual, untracked = self._pair
        try:
            recipient = self._recipient(person, self._lease.blast)
            made = mail(usual if person.tracking else untracked, recipient, self._date, self._signer)
        except UnknownKey as error:
            if wrong_keys(self._keyring, self._database):
                raise  # a key was made since we started: the next slice has it
            raise Unrenderable(type(error).__name__) from error
        except (BadSeal, ValueError, KeyError, TypeError) as error:
            # The error's own words may quote the member's data: only its kind is kept.
            raise Unrenderable(type(error).__name__) from error
        return Load(person, *made)

    def _recipient(self, person: Person, blast: int) -> Recipient:
        identity = open_identity(self._keyring, person.sealed, person.address_key)
        tokens = tokens_for(self._keyring, Ticket(person.member, blast))
        return Recipient(
            address=identity.email,
            name=identity.name,
            joined_on=person.joined_at.date(),
            list_name=person.list_name,
            list_slug=person.list_slug,
            share_code=person.share_code,
            tokens=tokens._replace(**self._in_sums) if self._in_sums else tokens,
            values={**person.attributes, "country": person.country, **self._thanks.get(person.member, {})},
        )


def signer_of(settings: Settings, sender_address: str = "") -> Signer | None:
    """The DKIM key of the domain of an address in From, the usual one where none is given: the newest
    `dkim/<domain>/<selector>.pem` in the home folder, if any."""
    domain = sender_address.rpartition("@")[2] or settings.sender_domain
    folder: Path = settings.home / "dkim" / domain
    pems = sorted(folder.glob("*.pem"), key=lambda path: path.stat().st_mtime)
    return Signer(domain, pems[-1].stem, pems[-1].read_bytes()) if pems else None
