"""Signups: dressed. The HTML of the letters: what their text says, in the organisation's colours, with the film.

Made once for the same words and kept: however many sign up at once, only the reader's own links are filled in. A letter
of a discreet list has no HTML: plain words look like anybody's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.brand import brand_of
from mobilizer.appeals.media import BadMedia
from mobilizer.appeals.poster import MailPoster, compose_poster
from mobilizer.audience.lists import MemberList, Subscription
from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.modes import modes_of
from mobilizer.catalogs import phrases
from mobilizer.languages import choose
from mobilizer.message.content import Frame
from mobilizer.message.letter import (
    JOINED_ON,
    LIST,
    SHARE_CODE,
    UNSUBSCRIBE,
    Film,
    Letter,
    compile_letter,
    letter_html,
)
from mobilizer.message.pieces import Line
from mobilizer.message.tags import impersonal
from mobilizer.message.values import long_date
from mobilizer.problems import N_
from mobilizer.settings import Settings
from mobilizer.tracking import Tracking

PRESS = N_("Confirm")
CHANGE = N_("Change language or lists")
WATCH = N_("Watch the film")

KEPT = 128  # as many as all languages of three letters, with a few films
NO_POSTER = MailPoster("", 600, 338)
_LINK = "%(link)s"


@dataclass(frozen=True, slots=True)
class Shown:
    """A film to show: the blast that its share links name, the appeal behind it, and the words in one language."""

    blast: str
    appeal: Appeal
    words: Translation


class Dress:
    """How the letters about one list look in one language; to a `member` with their own `links`, by their slots'
    names."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        joined: MemberList,
        tag: str,
        member: Member | None = None,
        **links: str,
    ) -> None:
        self._settings, self._tag, self._discreet = settings, tag, joined.discreet
        self._values = {LIST: joined.name, **links}
        self._frame = frame_of(session, settings, joined.tracking)
        if member is not None:
            since = session.get_one(Subscription, (joined.id, member.id)).joined_at.date()
            self._values |= {JOINED_ON: long_date(since, tag), SHARE_CODE: member.share_code}
            self._frame = frame_of(session, settings, joined.tracking if member.tracking else Tracking.OFF)

    @property
    def by_member(self) -> bool:
        """Whether a link to the film may say whose letter it is in."""
        return self._frame.tracking is Tracking.PSEUDONYMOUS

    def simple(self, subject: str, said: tuple[str, ...], button: str) -> str:
        """A letter of a few words, with one button where its text has the link. All are phrases of the catalog."""
        letter = simple(self._tag, subject, said, button, footer=UNSUBSCRIBE in self._values)
        return self._filled(letter, self._frame)

    def welcome(self, subject: str, said: str, film: Shown | None) -> str:
        """The welcome: its text, the film to watch and to pass on; its link is in the footer."""
        frame, seen = with_film(self._frame, self._settings, film) if film else (self._frame, None)
        return self._filled(welcome(self._tag, subject, said, seen), frame)

    def _filled(self, letter: Letter, frame: Frame) -> str:
        return "" if self._discreet else letter_html(_compiled(letter, frame), self._values)


def simple(tag: str, subject: str, said: tuple[str, ...], button: str, *, footer: bool) -> Letter:
    """A letter of phrases that has one button, where they have the link."""
    say = phrases("member", tag).gettext
    before, after = _around_link("\n\n".join(say(one).strip() for one in said))
    return Letter(tag, "_letter", say(subject), before, say(button), after, footer=footer)


def welcome(tag: str, subject: str, said: str, film: Film | None = None) -> Letter:
    """The welcome of phrases, without what leads to the link."""
    say = phrases("member", tag).gettext
    (first, *_), _ = _around_link(say(said))
    return Letter(tag, "_welcome", say(subject), (first,), say(WATCH), film=film)


@lru_cache(maxsize=KEPT)
def _compiled(letter: Letter, frame: Frame) -> Line:
    return compile_letter(letter, frame, phrases("member", letter.language))


def _around_link(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The paragraphs up to the link, with the words that lead to it, and those behind it."""
    before, _, after = text.partition(_LINK)
    ahead, behind = ([one.strip() for one in part.split("\n\n") if one.strip()] for part in (before, after))
    return tuple(ahead), tuple(behind)


def frame_of(session: Session, settings: Settings, tracking: str) -> Frame:
    """What surrounds the words of a letter that is counted no more than `tracking` says."""
    brand = brand_of(session, settings.brand_colour)
    return Frame(
        template="",
        base_url=settings.base_url.rstrip("/"),
        organisation=settings.organisation,
        postal_address=settings.postal_address,
        sender_name="",
        sender_address="",
        reply_to="",
        return_domain="",
        brand_colour=brand.button,
        link_colour=brand.link,
        header_colour=brand.header,
        blast_slug="",
        poster_url="",
        poster_width=NO_POSTER.width,
        poster_height=NO_POSTER.height,
        video_seconds=0,
        tracking=Tracking(tracking),
    )


def shown(session: Session, blast: str, tag: str) -> Shown | None:
    """The film of a blast, in the language that comes nearest; None where it has none to show, or is discreet."""
    found = session.scalars(select(Blast).where(Blast.slug == blast)).one_or_none()
    if found is None or modes_of(found).discreet:
        return None
    titled = {one.language: one for one in found.appeal.translations if one.title.strip()}
    if not titled:
        return None
    source = found.appeal.source_language
    usual = source if source in titled else next(iter(titled))
    return Shown(blast, found.appeal, titled[choose(tag, None, titled, (), usual).language])


def with_film(frame: Frame, settings: Settings, film: Shown) -> tuple[Frame, Film]:
    """The frame of a letter that shows a film, and what it says of it; without a picture where its file is gone."""
    still = film.words.poster or film.appeal.poster
    try:
        poster = compose_poster(settings.media, still) if still else NO_POSTER
    except BadMedia:
        poster = NO_POSTER
    told = [film.words.title, film.words.poster_alt or film.words.title, film.words.share_text]
    title, alt, share = (impersonal(text, settings.organisation) for text in told)
    drawn = replace(
        frame,
        blast_slug=film.blast,
        page_slug=film.appeal.slug,
        poster_url=f"{frame.base_url}/media/{poster.name}" if poster.name else "",
        poster_width=poster.width,
        poster_height=poster.height,
        video_seconds=film.appeal.video_seconds,
    )
    return drawn, Film(film.words.language, title, alt, share)
