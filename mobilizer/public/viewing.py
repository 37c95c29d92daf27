"""Public: view in browser. The mail as it was sent, or in another of its languages, behind a policy without script."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from flask import Response, make_response
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.completeness import complete_languages
from mobilizer.appeals.variants import FIRST
from mobilizer.audience.lists import MemberList
from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.blasts import Rendition as RenditionRow
from mobilizer.blasts.modes import modes_of
from mobilizer.blasts.renditions import compile_language, sample_recipient
from mobilizer.db import clock
from mobilizer.delivery.ledger import Batch, Delivery, is_for
from mobilizer.delivery.proof import SAMPLE_ADDRESS, recipient_of
from mobilizer.engagement.thanks import thanks_for
from mobilizer.http import installation
from mobilizer.keys import BadSeal, Purpose, Ticket
from mobilizer.languages import language
from mobilizer.message.compile import CompileError
from mobilizer.message.compose import html_of
from mobilizer.message.content import Recipient
from mobilizer.message.rendition import Rendition
from mobilizer.public.answers import missing, page
from mobilizer.public.holders import followed, ticket_of
from mobilizer.public.tongues import MEMBER, asked_language, browser_language, first_of


def view(token: str, tag: str = "") -> Response:
    """The mail behind a token; `tag` asks for another of its languages."""
    ticket = ticket_of(Purpose.VIEW, token)
    if ticket is None:
        return missing()
    with installation().database.read() as session:
        found = _mail(session, followed(session, ticket), tag)
    if found is None:
        return page("gone.html", asked_language() or first_of([tag], MEMBER) or browser_language(MEMBER), 404)
    html, spoken = found
    response = make_response(html)
    response.headers["Content-Language"] = spoken
    response.headers["Content-Security-Policy"] = _policy()
    return response


def _mail(session: Session, ticket: Ticket, tag: str) -> tuple[str, str] | None:
    """(HTML, its language), or None when the blast or its renditions are gone."""
    blast = session.get(Blast, ticket.blast)
    if blast is None:
        return None
    kept = _kept(session, blast)
    delivery = session.scalars(select(Delivery).where(is_for(blast.id, ticket.member))).one_or_none()
    available = kept or complete_languages(blast.appeal)
    sent_in = delivery.language if delivery else ""
    spoken = first_of([tag, sent_in], available) or (available and browser_language(available, blast.default_language))
    if not spoken:
        return None
    try:
        member, variant = session.get(Member, ticket.member), _variant(session, delivery, spoken)
        rendition = _rendition(session, blast, (spoken, variant), member, frozen=bool(kept))
        html = html_of(rendition, _recipient(session, blast, ticket, delivery, spoken), pixel=False)
    except (CompileError, BadSeal, KeyError):
        return None
    return html, language(spoken).tag


def _kept(session: Session, blast: Blast) -> tuple[str, ...]:
    first = (RenditionRow.blast_id == blast.id, RenditionRow.variant == FIRST)
    return tuple(session.scalars(select(RenditionRow.language).where(*first)))


def _variant(session: Session, delivery: Delivery | None, tag: str) -> str:
    """The variant that somebody got; of a language that they did not get, the first wording."""
    if delivery is None or delivery.language != tag:
        return FIRST
    return session.scalar(select(Batch.variant).where(Batch.id == delivery.batch_id)) or FIRST


def _rendition(
    session: Session, blast: Blast, words: tuple[str, str], member: Member | None, *, frozen: bool
) -> Rendition:
    """The rendition of a language and variant."""
    if not frozen:  # a proof before launch
        return compile_language(installation().settings, blast.appeal, blast.slug, words[0], modes=modes_of(blast))
    row = session.get_one(RenditionRow, (blast.id, *words))
    return Rendition.loads(row.compiled if member is None or member.tracking else row.untracked or row.compiled)


def _recipient(session: Session, blast: Blast, ticket: Ticket, delivery: Delivery | None, spoken: str) -> Recipient:
    """The member as the mail addressed them; someone made up for a proof, and for a member who is gone."""
    here = installation()
    today = session.scalars(select(clock())).one().date()
    someone = sample_recipient(here.keyring, blast.id, SAMPLE_ADDRESS, "", today)
    through = session.get(MemberList, delivery.list_id) if delivery and delivery.list_id else None
    if through is not None:
        someone = replace(someone, list_name=through.name, list_slug=through.slug)
    member = session.get(Member, ticket.member)
    if member is None:
        return someone
    return recipient_of(here, session, blast, member, someone, thanks_for(session, blast, spoken, member.id))


def _policy() -> str:
    """No script, no form, nothing but the mail's own inline styles and pictures of our own site."""
    base = urlsplit(installation().settings.base_url)
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' {base.scheme}://{base.netloc} data:; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
    )
