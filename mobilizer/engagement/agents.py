"""Engagement: agents. What kind of program asked, by its headers: a class is drawn at once, and is all that is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# What browsers and mail programs say when they fetch ahead of a person's own wish.
PREFETCH = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")
_PREFETCH = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
# Programs that name themselves: crawlers, and the messengers that fetch a link to draw its card.
# (CUBOT is a make of phone.)
_BOT = re.compile(
    r"(?<!cu)bot\b|crawler|spider|preview|facebookexternalhit|facebookcatalog|whatsapp/|snapchat|skypeuri|slurp"
    r"|curl/|wget/|python-|go-http-client|okhttp|monitor",
    re.IGNORECASE,
)
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


def class_of(said: str) -> str:
    """The class of a program by the name it gives itself (User-Agent, RFC 9110, 10.1.5)."""
    return "bot" if _BOT.search(said) else ""
