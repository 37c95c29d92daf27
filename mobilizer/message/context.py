"""Message: context. What an e-mail template can say: the words, the links, the frame, in HTML or in plain text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from babel import Locale, UnknownLocaleError
from markupsafe import Markup

from mobilizer.colours import ink_on, readable
from mobilizer.languages import Language, language, measured
from mobilizer.message import markdown
from mobilizer.message.content import Copy, Frame, LinkTarget
from mobilizer.message.fonts import font_stack, line_height
from mobilizer.message.headers import Unaddressable, wire_domain
from mobilizer.message.marks import Marks
from mobilizer.message.pieces import Form
from mobilizer.tracking import Tracking

LIGHT_CARD, DARK_CARD = "#ffffff", "#1d1d22"
DARK_RATIO = 7.0  # contrast of a hue with the dark card, where programs often paint over the rest
PADDING = Markup("&#847;&zwnj;&nbsp;") * 70  # keeps an inbox from reading on behind the preheader


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the links of one mail lead. `own` is the member's to pass on; followed out of the mail it is `own_in_mail`,
    so that whoever reads the mail is not taken for a friend."""

    watch: str
    share: str
    own: str
    own_in_mail: str
    unsubscribe: str
    preferences: str
    view: str


@dataclass(frozen=True, slots=True)
class Other:
    """The same mail in another language."""

    language: Language
    url: str


def context(copy: Copy, frame: Frame, links: Sequence[LinkTarget], marks: Marks, form: Form) -> dict[str, Any]:
    """The names a template may use; in HTML each value is escaped already."""
    leads = _leads(copy, frame, links, marks)
    return {
        **_words(copy, marks, form, lambda href: leads(LinkTarget("url", href))),
        "url": _urls(copy, frame, leads, marks),
        "others": [Other(language(tag), _elsewhere(tag, frame, marks)) for tag in frame.other_languages],
        **layout(copy.language, frame),
    }


def layout(tag: str, frame: Frame) -> dict[str, Any]:
    """The names that the layout of any mail uses: its language and frame, and what follows from them."""
    here = language(tag)
    return {
        "frame": frame,
        "language": here,
        "start": "right" if here.direction == "rtl" else "left",
        "end": "left" if here.direction == "rtl" else "right",
        "length": duration(frame.video_seconds, tag),
        "font": font_stack(here.script),
        "line_height": line_height(here.script),
        **_colours(frame),
        "padding": PADDING,
    }


def _colours(frame: Frame) -> dict[str, str]:
    """The hues of button, links and header with the ink upon each, for light and for dark screens."""
    link, header = frame.link_colour or frame.brand_colour, frame.header_colour or frame.brand_colour
    dark, dark_header = (readable(hue, DARK_CARD, DARK_RATIO) for hue in (frame.brand_colour, header))
    return {
        "brand": frame.brand_colour,
        "brand_ink": ink_on(frame.brand_colour),
        "link": readable(link, LIGHT_CARD),
        "header": header,
        "header_ink": ink_on(header),
        "dark_brand": dark,
        "dark_ink": ink_on(dark),
        "dark_link": readable(link, DARK_CARD, DARK_RATIO),
        "dark_header": dark_header,
        "dark_header_ink": ink_on(dark_header),
    }


def _words(copy: Copy, marks: Marks, form: Form, relink: Callable[[str], str]) -> dict[str, str]:
    greeting = marks.mark("greeting", form=form) if copy.greeting or copy.greeting_nameless else ""
    body = marks.plain(copy.body, form)
    if form == "plain":
        say: Callable[[str], str] = marks.plain
        alt = say
    else:
        say, alt = marks.html, marks.attribute
    return {
        "title": say(copy.title),
        "subject": alt(copy.subject),
        "preheader": say(copy.preheader),
        "greeting": Markup(greeting),  # noqa: S704 - a mark
        "body": markdown.to_text(body, relink) if form == "plain" else marks.isolated(markdown.to_html(body, relink)),
        "button": say(copy.button),
        "poster_alt": alt(copy.poster_alt or copy.title),
        "share_text": say(copy.share_text),
        "list_name": say("{{ list }}"),
        "joined_on": Markup(marks.mark("joined_on", form=form)),  # noqa: S704 - a mark
    }


Leads = Callable[[LinkTarget], str]


def _leads(copy: Copy, frame: Frame, links: Sequence[LinkTarget], marks: Marks) -> Leads:
    """The address that each link of a mail has: what it tells of who follows it is the tracking mode's to say."""
    base_url, page = wire_url(frame.base_url), _page(copy.language, frame)

    def by_member(target: LinkTarget) -> str:
        return f"{base_url}/c/{marks.mark('click')}/{links.index(target) + 1}"

    def in_sums(target: LinkTarget) -> str:
        return f"{base_url}/n/{marks.mark('click')}/{copy.language}/{links.index(target) + 1}"

    def straight(target: LinkTarget) -> str:
        return target.url or (f"{page}#share" if target.kind == "share" else page)

    ways = {Tracking.PSEUDONYMOUS: by_member, Tracking.SUMS: in_sums, Tracking.OFF: straight}
    return ways[frame.tracking]


def _page(tag: str, frame: Frame) -> str:
    """The watch page as anybody may see it."""
    return f"{wire_url(frame.base_url)}/w/{frame.page_slug or frame.blast_slug}/{tag}"


def _elsewhere(tag: str, frame: Frame, marks: Marks) -> str:
    """The same in another language: their own mail, or the page, which has its words too."""
    if frame.tracking is Tracking.PSEUDONYMOUS:
        return f"{wire_url(frame.base_url)}/v/{marks.mark('view')}/{tag}"
    return _page(tag, frame)


def _urls(copy: Copy, frame: Frame, leads: Leads, marks: Marks) -> Urls:
    base_url = wire_url(frame.base_url)
    by_member, leave = frame.tracking is Tracking.PSEUDONYMOUS, f"{base_url}/u/{marks.mark('unsubscribe')}"
    own = f"{base_url}/s/{marks.mark('share_code')}/{frame.blast_slug}" if by_member else _page(copy.language, frame)
    return Urls(
        watch=leads(LinkTarget("watch")),
        share=leads(LinkTarget("share")),
        own=own,
        own_in_mail=f"{own}?c=mail" if by_member else own,
        unsubscribe=leave,
        # But for the way to leave no link says whose it is: from there it goes on to the preferences.
        preferences=f"{base_url}/p/{marks.mark('preferences')}" if by_member else f"{leave}#preferences",
        view=f"{base_url}/v/{marks.mark('view')}" if by_member and not frame.discreet else "",
    )


def wire_url(base_url: str) -> str:
    """A base URL with its host in A-labels: premailer and old mail programs break on others."""
    scheme, _, rest = base_url.rstrip("/").partition("://")
    host, colon, port = rest.partition(":")
    try:
        return f"{scheme}://{wire_domain(host)}{colon}{port}"
    except Unaddressable:
        return base_url.rstrip("/")


def duration(seconds: int, tag: str) -> str:
    """A length in words, as CLDR has them: '2 minutes', '45 segundos'; empty for 0."""
    if seconds <= 0:
        return ""
    try:
        locale = Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    if seconds < 60:
        return measured(seconds, "duration-second", locale)
    return measured(round(seconds / 60), "duration-minute", locale)
