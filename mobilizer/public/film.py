"""Public: the film, an appeal as the watch page shows it in one language. Nothing of any member is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from markupsafe import Markup
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from mobilizer.appeals.appeals import Appeal, Translation, sound_of
from mobilizer.appeals.media import is_film_link, is_kept_name
from mobilizer.blasts.blasts import Blast
from mobilizer.http import installation, on_discreet_site, words
from mobilizer.languages import Language, language
from mobilizer.message.markdown import to_html
from mobilizer.message.tags import impersonal
from mobilizer.public.cards import card
from mobilizer.public.players import Player, player
from mobilizer.public.posters import light
from mobilizer.public.tongues import nearest

VIDEO_TYPES = {".mp4": "video/mp4", ".webm": "video/webm"}
# Channels that may have words of their own, as the fields `share_...` of a translation.
OWN_WORDS = ("whatsapp", "email", "sms")
OPENING_CHARACTERS = 420
SUMMARY_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Film:
    """What a watch page shows. `opening` and `rest` are clean HTML; the addresses are absolute, for link cards.

    `share_texts` has the words of the channels that have their own. `elsewhere` is the page of a `host` that has the
    film, if it is no file of ours, and `player` shows it here, if we know how.
    """

    language: Language
    title: str
    summary: str
    opening: Markup
    rest: Markup
    share_text: str
    share_texts: Mapping[str, str]
    join_text: str
    video: str
    video_type: str
    video_address: str
    poster: str
    poster_address: str
    poster_alt: str
    captions: str
    captions_on: bool
    minutes: str
    elsewhere: str
    host: str
    player: Player | None

    def shared_on(self, channel: str) -> str:
        """What is said with the link on a channel."""
        return self.share_texts.get(channel) or self.share_text


def shown(session: Session, slug: str, discreet: bool | None = None) -> Appeal | None:
    """The appeal of a slug, or of the code that stands for it in discreet addresses, once it has a blast: a text that
    is still being written is nobody's to read. The discreet site (of this request, if not said) knows codes
    alone: a slug says what it is about."""
    discreet = on_discreet_site() if discreet is None else discreet
    by_code = Appeal.code == slug
    return session.scalars(
        select(Appeal)
        .options(selectinload(Appeal.translations))
        .where(
            by_code if discreet else or_(Appeal.slug == slug, by_code),
            select(Blast.id).where(Blast.appeal_id == Appeal.id).exists(),
        )
        .order_by(Appeal.slug != slug)
        .limit(1)
    ).one_or_none()


def shared(session: Session, slug: str, discreet: bool | None = None) -> Appeal | None:
    """The appeal of a share link, which names it by its own slug or by a blast's: a mail knows only its blast."""
    discreet = on_discreet_site() if discreet is None else discreet
    found = shown(session, slug, discreet)
    if found is not None or discreet:
        return found
    return session.scalars(
        select(Appeal)
        .options(selectinload(Appeal.translations))
        .join(Blast, Blast.appeal_id == Appeal.id)
        .where(Blast.slug == slug)
    ).one_or_none()


def tags_of(appeal: Appeal) -> tuple[str, ...]:
    """The languages it can be watched in, the source language first: those that have a title."""
    tags = [translation.language for translation in appeal.translations if translation.title.strip()]
    return tuple(sorted(tags, key=lambda tag: (tag != appeal.source_language, language(tag).own_name.casefold())))


def film(appeal: Appeal, tag: str) -> Film:
    """The film in one of `tags_of`; phrases in the language that the request speaks."""
    said = next(translation for translation in appeal.translations if translation.language == tag)
    chosen = said.video or appeal.video
    video, poster = _kept(chosen), _kept(said.poster or appeal.poster)
    media = installation().settings.media
    title = _impersonal(said.title)
    opening, rest = _divided(_impersonal(said.body))
    return Film(
        language=language(tag),
        title=title,
        summary=_summary(said),
        opening=_html(opening),
        rest=_html(rest),
        share_text=_impersonal(said.share_text),
        share_texts={channel: _impersonal(getattr(said, f"share_{channel}")) for channel in OWN_WORDS},
        join_text=_impersonal(said.join_text),
        video=video,
        video_type=VIDEO_TYPES.get(video[video.rfind(".") :], ""),
        video_address=address(f"/media/{video}"),
        poster=light(media, poster) if poster else "",
        poster_address=address(f"/media/{card(media, poster, _impersonal(said.title), language(tag))}")
        if poster
        else "",
        poster_alt=_impersonal(said.poster_alt) or title,
        captions=_kept(said.captions),
        captions_on=(reads := not said.video and not _is_spoken(sound_of(appeal), tag)),
        minutes=_minutes(appeal.video_seconds),
        elsewhere=(elsewhere := chosen if is_film_link(chosen) else ""),
        host=(urlsplit(elsewhere).hostname or "").removeprefix("www."),
        player=player(elsewhere, tag, captions=reads),
    )


def join_text(appeal: Appeal, tag: str) -> str:
    """Why to join, in a form of a language; empty where the appeal does not say it in that."""
    written = {said.language: text for said in appeal.translations if (text := _impersonal(said.join_text))}
    return written.get(nearest(tag, written), "")


def _is_spoken(sound: str, tag: str) -> bool:
    """Whether who reads a language follows a film in another form of it: who reads pt hears pt-BR."""
    return sound.partition("-")[0] == tag.partition("-")[0]


def address(path: str, *, discreet: bool = False) -> str:
    """An absolute address on the installation's public site, or on its discreet one."""
    settings = installation().settings
    return ((discreet and settings.discreet_base_url) or settings.base_url).rstrip("/") + path


def _kept(name: str) -> str:
    return name if is_kept_name(name) else ""


def _impersonal(text: str) -> str:
    return impersonal(text, installation().settings.organisation)


def _summary(said: Translation) -> str:
    text = _impersonal(said.preheader) or _impersonal(said.share_text)
    return text if len(text) <= SUMMARY_CHARACTERS else text[: SUMMARY_CHARACTERS - 1].rstrip() + "…"


def _divided(body: str) -> tuple[str, str]:
    """The paragraphs that are read at once, and those that wait to be asked for; never a short remainder."""
    blocks = body.replace("\r\n", "\n").split("\n\n")
    opening: list[str] = []
    while blocks and (not opening or len("".join([*opening, blocks[0]])) <= OPENING_CHARACTERS):
        opening.append(blocks.pop(0))
    if len("".join(blocks)) < OPENING_CHARACTERS // 4:
        return body, ""
    return "\n\n".join(opening), "\n\n".join(blocks)


def _html(markdown: str) -> Markup:
    # Clean by construction: message.markdown lets no raw HTML through and sanitises what it made.
    return Markup(to_html(markdown, lambda href: href))  # noqa: S704


def _minutes(seconds: int) -> str:
    if seconds <= 0:
        return ""
    if seconds < 60:
        return words().ngettext("%(num)d second", "%(num)d seconds", seconds) % {"num": seconds}
    minutes = round(seconds / 60)
    return words().ngettext("%(num)d minute", "%(num)d minutes", minutes) % {"num": minutes}
