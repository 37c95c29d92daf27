"""Message: letters, to one person beside all blasts. Drawn as blasts are, once a language; then the values go in.

No picture tells of an open and no link of a click: a letter is answered, not counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from babel.support import NullTranslations
from markupsafe import Markup, escape

from mobilizer.languages import language
from mobilizer.message.compile import environment_of, inlined
from mobilizer.message.content import Frame
from mobilizer.message.context import Urls, layout, wire_url
from mobilizer.message.marks import Marks
from mobilizer.message.pieces import Line, Slot, clean
from mobilizer.message.pieces import escape as escape_value
from mobilizer.tracking import Tracking

LINK, LIST, JOINED_ON = "link", "list", "joined_on"
SHARE_CODE, UNSUBSCRIBE, PREFERENCES = "share_code", "unsubscribe", "preferences"


@dataclass(frozen=True, slots=True)
class Film:
    """What a letter shows of the film that its frame has the poster and the names of: words without merge tags, in a
    language that need not be the letter's."""

    language: str
    title: str
    poster_alt: str
    share_text: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter says in its language, the same for all who get it.

    `before` and `after` are paragraphs, ahead of the button and behind it; they may say `%(list)s` and
    `%(organisation)s`. The button leads to LINK, or to the film where there is one. With `footer` it says why it came
    and how to leave, in links of the reader's own.
    """

    language: str
    template: str
    subject: str
    before: tuple[str, ...]
    button: str
    after: tuple[str, ...] = ()
    film: Film | None = None
    footer: bool = True


def compile_letter(letter: Letter, frame: Frame, phrases: NullTranslations) -> Line:
    """The HTML of a letter, with slots for what is its reader's own. Raises jinja2.TemplateError."""
    marks = Marks(hashlib.blake2b(repr((letter, frame)).encode(), digest_size=5).hexdigest(), {})
    said = {LIST: _apart(marks.mark(LIST)), "organisation": _apart(frame.organisation)}
    before, after = ([_paragraph(one, said) for one in part] for part in (letter.before, letter.after))
    html = environment_of(phrases).get_template(f"{letter.template}/body.html")
    return marks.line(
        inlined(
            html.render(
                **layout(letter.language, frame),
                subject=letter.subject,
                title=letter.subject,
                preheader=before[0] if before else "",
                before=before,
                after=after,
                button=letter.button,
                footer=letter.footer,
                url=_urls(letter, frame, marks),
                others=(),
                list_name=said[LIST],
                joined_on=marks.mark(JOINED_ON),
                **_film(letter.film, letter.language),
            )
        )
    )


def letter_html(line: Line, values: Mapping[str, str]) -> str:
    """A compiled letter with its reader's values, each escaped. Raises KeyError where one is missing."""
    return "".join(escape_value(clean(values[at.field])) if isinstance(at, Slot) else at for at in line)


def _film(film: Film | None, otherwise: str) -> dict[str, object]:
    spoken = language(film.language if film else otherwise)
    words = film.share_text if film else ""
    if words and spoken.tag != otherwise:
        words = Markup('<span dir="{}" lang="{}">{}</span>').format(spoken.direction, spoken.tag, words)
    return {"film": film, "spoken": spoken, "poster_alt": film.poster_alt if film else "", "share_text": words}


def _urls(letter: Letter, frame: Frame, marks: Marks) -> Urls:
    """Where the links lead: those of a film as a blast's do at last, without a click between."""
    base_url, leave = wire_url(frame.base_url), marks.mark(UNSUBSCRIBE)
    by_member = frame.tracking is Tracking.PSEUDONYMOUS
    page = f"{base_url}/w/{frame.page_slug}/{letter.film.language}" if letter.film else marks.mark(LINK)
    watch = f"{page}/{marks.mark(SHARE_CODE)}?own=1" if letter.film and by_member else page
    own = f"{base_url}/s/{marks.mark(SHARE_CODE)}/{frame.blast_slug}" if by_member else page
    return Urls(
        watch=watch,
        share=f"{watch}#share",
        own=own,
        own_in_mail=f"{own}?c=mail" if by_member else own,
        unsubscribe=leave,
        preferences=marks.mark(PREFERENCES),
        view="",
    )


def _paragraph(words: str, said: Mapping[str, Markup]) -> Markup:
    lines = [escape(line) % said for line in words.strip().split("\n")]
    return Markup("<br>").join(lines)


def _apart(name: str) -> Markup:
    return Markup("<bdi>{}</bdi>").format(name)
