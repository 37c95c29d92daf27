"""Public: players. Sites whose player can be shown in the page, once the visitor has asked for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

_ID = re.compile(r"[\w-]{3,64}", re.ASCII)
# It comes to stand in a header: nothing but a plain name, and no port of its own.
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Player:
    """`site` is where it comes from ('https://player.vimeo.com'), `address` what is shown of it in a frame."""

    site: str
    address: str


def player(link: str, tag: str, *, captions: bool) -> Player | None:
    """The player of a film's page on another site, in a language; None where we know of none.

    It is asked to play at once, for that was pressed; and for no cookies where a site has a way to ask.
    """
    parts = urlsplit(link)
    if not _HOST.fullmatch(parts.netloc.lower()):
        return None
    host, steps = parts.netloc.lower().removeprefix("www."), [step for step in parts.path.split("/") if step]
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    found = _SITES.get(host, _peertube)(_Page(host, steps, asked, tag, captions))
    return Player(f"https://{urlsplit(found).netloc}", found) if found else None


@dataclass(frozen=True, slots=True)
class _Page:
    host: str
    steps: list[str]
    asked: dict[str, str]
    tag: str
    captions: bool

    def id_at(self, place: int) -> str:
        found = self.steps[place] if place < len(self.steps) else ""
        return found if _ID.fullmatch(found) else ""


def _youtube(page: _Page) -> str:
    watched = page.asked.get("v", "") if page.steps[:1] == ["watch"] else ""
    number = watched or page.id_at(0 if page.host == "youtu.be" else 1)
    if not _ID.fullmatch(number):
        return ""
    asked = {"autoplay": "1", "rel": "0", "playsinline": "1", "hl": page.tag}
    if page.captions:
        asked |= {"cc_load_policy": "1", "cc_lang_pref": page.tag}
    return f"https://www.youtube-nocookie.com/embed/{number}?{urlencode(asked)}"


def _vimeo(page: _Page) -> str:
    number = page.id_at(0)
    if not number.isdecimal():
        return ""
    asked = {"autoplay": "1", "dnt": "1"} | ({"texttrack": page.tag} if page.captions else {})
    if unlisted := page.id_at(1) or page.asked.get("h", ""):
        asked["h"] = unlisted
    return f"https://player.vimeo.com/video/{number}?{urlencode(asked)}"


def _archive(page: _Page) -> str:
    match page.steps:
        case ["details", number, *_] if _ID.fullmatch(number.replace(".", "-")):
            return f"https://archive.org/embed/{number}?autoplay=1"
    return ""


def _peertube(page: _Page) -> str:
    """PeerTube runs on many sites, and is known by its addresses: /w/<id> or /videos/watch/<id>."""
    match page.steps:
        case ["w", number] | ["videos", "watch", number] if len(number) >= 22 and _ID.fullmatch(number):
            asked = {"autoplay": "1", "p2p": "0"} | ({"subtitle": page.tag} if page.captions else {})
            return f"https://{page.host}/videos/embed/{number}?{urlencode(asked)}"
    return ""


_SITES: dict[str, Callable[[_Page], str]] = {
    "youtube.com": _youtube,
    "m.youtube.com": _youtube,
    "youtube-nocookie.com": _youtube,
    "youtu.be": _youtube,
    "vimeo.com": _vimeo,
    "archive.org": _archive,
}
