"""Blasts: renditions. Compiles an appeal for one language, for previews and proofs, and freezes them all at launch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import cast

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, object_session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.brand import brand_of
from mobilizer.appeals.completeness import complete_languages
from mobilizer.appeals.copy import to_copy, to_discreet_copy
from mobilizer.appeals.poster import MailPoster, compose_poster
from mobilizer.appeals.variants import FIRST, variants_of
from mobilizer.blasts.blasts import Blast, Link
from mobilizer.blasts.blasts import Rendition as RenditionRow
from mobilizer.blasts.fallbacks import working
from mobilizer.blasts.modes import USUAL, Modes, modes_of
from mobilizer.blasts.tickets import NOBODY, tokens_for
from mobilizer.blasts.waiting import sent_languages
from mobilizer.catalogs import phrases
from mobilizer.keys import Keyring, Ticket
from mobilizer.message.compile import compile_rendition, links_of
from mobilizer.message.content import Copy, Frame, LinkKind, LinkTarget, Recipient
from mobilizer.message.rendition import Rendition
from mobilizer.settings import Settings
from mobilizer.tracking import Tracking

NO_POSTER = (600, 338)
NEUTRAL = "#44546a"


def freeze(session: Session, settings: Settings, blast: Blast) -> None:
    """Compile every language that is sent, each of its variants and their links, as they are now, and keep them with
    the blast; and what languages fall back to.

    Raises message.compile.CompileError where a translation can't be compiled; then nothing is kept.
    """
    thaw(session, blast.id)
    modes = modes_of(blast)
    blast.frozen_tracking, blast.frozen_discreet = modes.tracking, modes.discreet
    targets = link_targets(blast.appeal, modes)
    for n, target in enumerate(targets, start=1):
        session.add(Link(blast_id=blast.id, n=n, kind=target.kind, url=target.url))
    for language in sent_languages(blast):
        for variant in variants_in(_translation(blast.appeal, language), modes):
            _keep(session, settings, blast, (language, variant), targets)
    blast.fallbacks = working(session).fallbacks
    session.flush()


def add_late(session: Session, settings: Settings, blast: Blast, language: str) -> None:
    """Compile one more language in its first wording, as it is now, for a blast that was launched without it. Links
    that are frozen keep their numbers, and those that only this language has come behind.

    Raises as `compile_language`; then nothing is kept.
    """
    frozen = session.scalars(select(Link).where(Link.blast_id == blast.id).order_by(Link.n)).all()
    known = [LinkTarget(cast(LinkKind, link.kind), link.url) for link in frozen]
    said = copy_of(_translation(blast.appeal, language), modes_of(blast))
    targets = (*known, *dict.fromkeys(one for one in links_of(said) if one not in known))
    for n, target in enumerate(targets[len(known) :], start=len(known) + 1):
        session.add(Link(blast_id=blast.id, n=n, kind=target.kind, url=target.url))
    _keep(session, settings, blast, (language, FIRST), targets)
    session.flush()


def _keep(
    session: Session, settings: Settings, blast: Blast, words: tuple[str, str], targets: Sequence[LinkTarget]
) -> None:
    """Keep one language and variant, as it goes to most and as it goes to those who turned tracking off."""
    (language, variant), modes = words, modes_of(blast)
    rendition, untracked = (
        compile_language(settings, blast.appeal, blast.slug, language, targets, modes=one, variant=variant)
        for one in (modes, replace(modes, tracking=Tracking.OFF))
    )
    session.add(
        RenditionRow(
            blast_id=blast.id,
            language=language,
            variant=variant,
            content_hash=rendition.content_hash,
            compiled=rendition.dumps(),
            untracked="" if modes.tracking is Tracking.OFF else untracked.dumps(),
        )
    )


def thaw(session: Session, blast_id: int) -> None:
    """Keep no words with a blast that was taken back."""
    session.execute(delete(Link).where(Link.blast_id == blast_id))
    session.execute(delete(RenditionRow).where(RenditionRow.blast_id == blast_id))
    blast = session.get_one(Blast, blast_id)
    blast.frozen_tracking, blast.frozen_discreet = "", False


def compile_language(
    settings: Settings,
    appeal: Appeal,
    slug: str,
    language: str,
    links: Sequence[LinkTarget] = (),
    *,
    modes: Modes = USUAL,
    variant: str = FIRST,
    proof: bool = False,
) -> Rendition:
    """The rendition of an appeal in one of its languages, with the links of its blast, or as they would be now.

    A `proof` says in its subject that it is one.

    Raises KeyError, message.compile.CompileError,
    appeals.media.BadMedia where the poster's file is gone."""
    translation = _translation(appeal, language)
    frame = replace(frame_of(settings, appeal, translation, slug, modes), proof=proof)
    return compiled(copy_of(translation, modes, variant), frame, tuple(links) or link_targets(appeal, modes))


@lru_cache(maxsize=128)
def compiled(copy: Copy, frame: Frame, links: tuple[LinkTarget, ...]) -> Rendition:
    """The rendition of a copy, made once for the same words in the same frame: a page shows it many times over.

    Raises message.compile.CompileError.
    """
    return compile_rendition(copy, frame, links, phrases("member", copy.language))


def link_targets(appeal: Appeal, modes: Modes = USUAL) -> tuple[LinkTarget, ...]:
    """Every link of the appeal in any complete language and variant, each once: a link's number is its place, from
    1."""
    complete = [_translation(appeal, language) for language in complete_languages(appeal)]
    copies: list[Copy] = [copy_of(one, modes, variant) for one in complete for variant in variants_in(one, modes)]
    return tuple(dict.fromkeys(target for copy in copies for target in links_of(copy)))


def copy_of(translation: Translation, modes: Modes, variant: str = FIRST) -> Copy:
    """The words that a mail is made of: those of the appeal, or the discreet ones in their place."""
    return to_discreet_copy(translation) if modes.discreet else to_copy(translation, variant)


def variants_in(translation: Translation, modes: Modes) -> tuple[str, ...]:
    """The variants that a blast of these modes has: where nothing can be told of them, the first wording alone."""
    return variants_of(translation) if modes.may_try else (FIRST,)


def frame_of(settings: Settings, appeal: Appeal, translation: Translation, slug: str, modes: Modes = USUAL) -> Frame:
    """What a mail takes from the installation and the appeal rather than from its translation."""
    if modes.discreet:
        return _discreet_frame(settings, appeal, translation, modes)
    still = translation.poster or appeal.poster
    poster = compose_poster(settings.media, still) if still else MailPoster("", *NO_POSTER)
    brand = brand_of(object_session(appeal), settings.brand_colour)
    return Frame(
        template=appeal.template,
        base_url=settings.base_url.rstrip("/"),
        organisation=settings.organisation,
        postal_address=settings.postal_address,
        sender_name=settings.sender_name or settings.organisation,
        sender_address=settings.sender_address,
        reply_to=settings.reply_to,
        return_domain=settings.return_domain,
        leave_by_mail=settings.receives_mail,
        brand_colour=brand.button,
        link_colour=brand.link,
        header_colour=brand.header,
        blast_slug=slug,
        poster_url=f"{settings.base_url.rstrip('/')}/media/{poster.name}" if still else "",
        poster_width=poster.width,
        poster_height=poster.height,
        video_seconds=appeal.video_seconds,
        other_languages=tuple(tag for tag in complete_languages(appeal) if tag != translation.language),
        page_slug=appeal.slug,
        tracking=modes.tracking,
    )


def _discreet_frame(settings: Settings, appeal: Appeal, translation: Translation, modes: Modes) -> Frame:
    """A frame without a word, a picture or a hue that says whose mail it is or what it is about."""
    width, height = NO_POSTER
    return Frame(
        template="_discreet",
        base_url=(settings.discreet_base_url or settings.base_url).rstrip("/"),
        organisation=translation.discreet_sender,
        postal_address="",
        sender_name=translation.discreet_sender,
        sender_address=settings.discreet_sender_address or settings.sender_address,
        reply_to="",
        return_domain=settings.discreet_return_domain,
        leave_by_mail=settings.receives_mail,
        brand_colour=NEUTRAL,
        blast_slug=appeal.code,
        poster_url="",
        poster_width=width,
        poster_height=height,
        video_seconds=0,
        page_slug=appeal.code,
        tracking=modes.tracking,
        discreet=True,
    )


def is_in_mails(session: Session, name: str) -> bool:
    """Whether a file of the media folder is drawn in words that are frozen: people may look at those for years."""
    drawn = select(RenditionRow.blast_id).where(RenditionRow.compiled.contains(f"/media/{name}", autoescape=True))
    return session.scalar(drawn.limit(1)) is not None


def sample_recipient(keyring: Keyring, blast_id: int, address: str, name: str, today: date) -> Recipient:
    """Someone to show a mail to: its links work, and nothing they do is counted."""
    return Recipient(
        address=address,
        name=name,
        joined_on=today,
        list_name="Newsletter",
        list_slug="newsletter",
        share_code="proof",
        tokens=tokens_for(keyring, Ticket(NOBODY, blast_id)),
    )


def _translation(appeal: Appeal, language: str) -> Translation:
    for translation in appeal.translations:
        if translation.language == language:
            return translation
    raise KeyError(f"the appeal {appeal.slug} has no translation {language}")
