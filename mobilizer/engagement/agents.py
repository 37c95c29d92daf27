"""Engagement: agents. What kind of program asked, by its headers: a class is drawn at once, and is all that is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from crawleruseragents import is_crawler

# What browsers and mail programs say when they fetch ahead of a person's own wish.
PREFETCH = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")
_PREFETCH = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
# Who fetches pictures for a person who is looking at a mail this moment: an open, though not by their own program.
_PROXY = re.compile(r"GoogleImageProxy|YahooMailProxy")
# Apple's proxy fetches every picture, whether anybody looks or not, and says no more than this.
_APPLE = "Mozilla/5.0"
# Programs that name themselves, beside those in the data: scanners of mail, messengers that draw a link's card.
# (CUBOT is a make of phone.)
_BOT = re.compile(
    r"(?<!cu)bot\b|https?:|crawler|spider|preview|externalhit|facebookcatalog|^snapchat/|skypeuri|cardyb"
    r"|kakaotalk-scrap|headless|barracuda|mimecast|proofpoint|urldefense|messagelabs|symantec|sophos|ironport|ciscosecure"
    r"|fortimail|forcepoint|fireeye|trellix|zscaler|\bvade|trendmicro|\bmonitor",
    re.IGNORECASE,
)
# A browser inside an app on somebody's phone: whoever follows a link there. The data has some of these: an app by its
# name, or all phones of a make by the number of their system.
_IN_APP = re.compile(r"\(Linux; (?:U; )?Android [^)]*(?:; wv|Build/[^)]*)\)|\((?:iPhone|iPad|iPod)[^)]*\).* Mobile/")
MOST_KNOWN = 20_000
_known: dict[int, str] = {}  # classes by the hash of an agent's name: the name itself is remembered nowhere


def agent_of(environ: Mapping[str, Any]) -> str:
    """The class of the program that sent a request (the keys of PEP 3333), empty for what may be a person's browser."""
    for name in PREFETCH:
        if name in environ and _PREFETCH.search(environ[name]):
            return "prefetch"
    said = environ.get("HTTP_USER_AGENT", "")
    key = hash(said)
    found = _known.get(key)
    if found is None:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        found = _known[key] = class_of(said)
    return found


def visitor_of(environ: Mapping[str, Any]) -> str:
    """The class of what followed a share link: 'page' where one of our own pages led there, for then nobody comes who
    was not there (Sec-Fetch-Site: W3C Fetch Metadata, 2.4), else that of the program."""
    return "page" if environ.get("HTTP_SEC_FETCH_SITE") == "same-origin" else agent_of(environ)


def class_of(said: str) -> str:
    """The class of a program by the name it gives itself (User-Agent, RFC 9110, 10.1.5).

    'nameless' and 'apple' say too little for a browser, 'proxy' fetches for somebody who looks, and a 'bot' is in the
    data of crawler-user-agents, which is brought up to date as any dependency, or names itself so. A browser inside an
    app is a person's, whatever the data says.
    """
    if said == _APPLE:
        return "apple"
    if _PROXY.search(said):
        return "proxy"
    if _BOT.search(said) or (is_crawler(said) and not _IN_APP.search(said)):
        return "bot"
    return "" if said.strip() else "nameless"
