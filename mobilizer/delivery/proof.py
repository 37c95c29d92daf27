"""Delivery: proofs. A test mail, made by the very path that makes the real ones; never counted."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.variants import FIRST
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.modes import Modes, modes_of
from mobilizer.blasts.renditions import compile_language, sample_recipient
from mobilizer.blasts.tickets import tokens_for, tokens_in_sums
from mobilizer.db import clock
from mobilizer.delivery.loads import signer_of
from mobilizer.installation import Installation
from mobilizer.keys import Ticket
from mobilizer.message.compose import compose, envelope_recipient, return_path
from mobilizer.message.content import Recipient
from mobilizer.message.rendition import Rendition
from mobilizer.settings import Settings
from mobilizer.tracking import Tracking
from mobilizer.transport.outcomes import Accepted, Deferred, Ready, Rejected, Trouble, Uncertain, Unsupported
from mobilizer.transport.relay import Relay
from mobilizer.transport.relays import load_relays
from mobilizer.transport.smtp import Connection

SAMPLE_ADDRESS = "someone@example.org"
NOTHING_YET: Mapping[str, str] = MappingProxyType({})


def proof_bytes(
    installation: Installation,
    session: Session,
    blast: Blast,
    language: str,
    member: Member | None = None,
    thanks: Mapping[str, str] = NOTHING_YET,
) -> bytes:
    """Exactly the bytes that a member (or someone made up) would be sent, in a language; `thanks` says what came of
    the member's sharing.

    Raises KeyError where the appeal lacks the language, message.compile.CompileError where it can't be compiled.
    """
    modes = modes_of(blast)
    if member is not None and not member.tracking:
        modes = replace(modes, tracking=Tracking.OFF)
    rendition, recipient, now = _proof(installation, session, blast, language, modes)
    if member is not None:
        recipient = recipient_of(installation, session, blast, member, recipient, thanks)
    return compose(rendition, recipient, now, signer_of(installation.settings, rendition.sender_address))


def send_proof(
    installation: Installation, blast_id: int, language: str, address: str, name: str = "", variant: str = FIRST
) -> Accepted | Deferred | Rejected | Uncertain | Unsupported:
    """Send one proof of a language, in one of its variants, to an address, at once; its subject says that it is one.

    Raises Trouble (the relay's), and as proof_bytes.
    """
    with installation.database.read() as session:
        blast = session.get_one(Blast, blast_id)
        modes = modes_of(blast)
        rendition, recipient, now = _proof(installation, session, blast, language, modes, marked=True, variant=variant)
    recipient = replace(recipient, address=address, name=name)
    content = compose(rendition, recipient, now, signer_of(installation.settings, rendition.sender_address))
    return post(installation.settings, return_path(rendition, recipient), envelope_recipient(recipient), content)


def post(
    settings: Settings, sender: str, recipient: str, content: bytes
) -> Accepted | Deferred | Rejected | Uncertain | Unsupported:
    """Hand one message that is in no ledger to the first relay that has no trouble, at once.

    Raises Trouble where all have some, relays.RelaysError where none can be read.
    """
    *others, last = load_relays(settings).routes
    for route in others:
        with suppress(Trouble):  # nothing was handed over: another may take it
            return _post(route.relay, sender, recipient, content)
    return _post(last.relay, sender, recipient, content)


def _post(
    relay: Relay, sender: str, recipient: str, content: bytes
) -> Accepted | Deferred | Rejected | Uncertain | Unsupported:
    connection = Connection.open(relay)
    try:
        connection.offer(sender, recipient, size=len(content))
        answer = connection.answer()
        if not isinstance(answer, Ready):
            return answer
        connection.hand(content)
        return connection.reply()
    finally:
        connection.close()


def recipient_of(
    installation: Installation,
    session: Session,
    blast: Blast,
    member: Member,
    sample: Recipient,
    thanks: Mapping[str, str] = NOTHING_YET,
) -> Recipient:
    """The member as the blast would address them, with their own links; `sample` fills in for a list, `thanks` says
    what came of their sharing."""
    identity = member.identity(installation.keyring)
    row = session.execute(
        select(MemberList.name, MemberList.slug, Subscription.joined_at)
        .join(Subscription, Subscription.list_id == MemberList.id)
        .where(
            Subscription.member_id == member.id,
            MemberList.id.in_(lifecycle.lists_of(session, blast.id, included=True)),
            Subscription.standing == Standing.CONFIRMED,
        )
        .order_by(MemberList.id)
    ).first()
    name, slug, joined_on = (
        (row[0], row[1], row[2].date()) if row else (sample.list_name, sample.list_slug, sample.joined_on)
    )
    sums = modes_of(blast).tracking is Tracking.SUMS
    in_sums = tokens_in_sums(installation.keyring, blast.id) if sums else {}
    return Recipient(
        address=identity.email,
        name=identity.name,
        joined_on=joined_on,
        list_name=name,
        list_slug=slug,
        share_code=member.share_code,
        tokens=tokens_for(installation.keyring, Ticket(member.id, blast.id))._replace(**in_sums),
        values={**{k: str(v) for k, v in member.attributes.items()}, "country": member.country or "", **thanks},
    )


def _proof(
    installation: Installation,
    session: Session,
    blast: Blast,
    language: str,
    modes: Modes,
    *,
    marked: bool = False,
    variant: str = FIRST,
) -> tuple[Rendition, Recipient, datetime]:
    now = session.scalars(select(clock())).one()
    rendition = compile_language(
        installation.settings, blast.appeal, blast.slug, language, modes=modes, proof=marked, variant=variant
    )
    recipient = sample_recipient(installation.keyring, blast.id, SAMPLE_ADDRESS, "", now.date())
    ids = lifecycle.lists_of(session, blast.id, included=True)
    first = session.scalars(select(MemberList).where(MemberList.id.in_(ids)).order_by(MemberList.id)).first()
    if first is not None:
        recipient = replace(recipient, list_name=first.name, list_slug=first.slug)
    return rendition, recipient, now
