"""Engagement: person or machine. Each rule has a name, which is all that is kept of what it looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What browsers and mail programs say when they fetch ahead of a person's own wish.
PREFETCH_HEADERS = ("Purpose", "Sec-Purpose", "X-Purpose", "X-Moz")
_PREFETCH = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
# Programs that name themselves: crawlers, and the messengers that fetch a link to draw its card.
# (CUBOT is a make of phone.)
_BOT = re.compile(
    r"(?<!cu)bot\b|crawler|spider|preview|facebookexternalhit|facebookcatalog|whatsapp/|snapchat|skypeuri|slurp"
    r"|curl/|wget/|python-|go-http-client|okhttp|monitor",
    re.IGNORECASE,
)


def machine(method: str, headers: Mapping[str, str]) -> str:
    """The name of the rule that says a machine sent this request ('head', 'prefetch', 'bot'), or empty.

    A plain rule for now: what gives itself away. Scanners that pretend to be people are not caught.
    """
    if method == "HEAD":
        return "head"
    if any(_PREFETCH.search(headers.get(name, "")) for name in PREFETCH_HEADERS):
        return "prefetch"
    if _BOT.search(headers.get("User-Agent", "")):
        return "bot"
    return ""
