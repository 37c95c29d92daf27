"""Blasts: the links in an appeal's text. Where they may not lead, and where nobody gets to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, urlsplit

from mobilizer.message.markdown import links
from mobilizer.problems import N_

Found = tuple[str, bool, str, str]  # code, whether it forbids launch, sentence, the link

ALLOWED = ("http", "https", "mailto", "tel")
SHORTENERS = frozenset({"bit.ly", "t.co", "tinyurl.com", "goo.gl", "ow.ly", "is.gd", "buff.ly", "cutt.ly", "rb.gy"})
_WRITTEN = re.compile(r"\]\(\s*<?\s*([a-z][a-z0-9+.-]*):([^)\s>]*)", re.IGNORECASE)
_HOST = re.compile(r"(?!-)[\w.-]+\.[\w-]{2,}", re.UNICODE)


def body_links(body: str, base_url: str, own_page: Callable[[str], bool]) -> Iterator[Found]:
    """What is wrong with the links of a text in Markdown; `own_page` knows the paths of our own site."""
    for scheme, rest in _WRITTEN.findall(body):
        if scheme.lower() not in ALLOWED:
            message = N_("A link in %(language)s starts with “%(url)s”: write https:// instead.")
            yield "link.scheme", True, message, f"{scheme}:{rest[:20]}"
    own = (urlsplit(base_url).hostname or "").lower()
    for url in links(body):
        yield from _one(url, own, own_page)


def is_local(host: str) -> bool:
    """Whether a host is this machine or its own network: nobody outside gets there."""
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".localdomain"))


def _one(url: str, own: str, own_page: Callable[[str], bool]) -> Iterator[Found]:
    parts = _parts(url)
    host = (parts.hostname or "").lower() if parts else ""
    if parts is None or not (host == own or is_local(host) or _HOST.fullmatch(host)) or "@" in parts.netloc:
        yield "link.broken", True, N_("The link %(url)s in %(language)s is not well formed. Copy it anew."), url
    elif host == own:
        if not own_page(parts.path):
            message = N_("The link %(url)s in %(language)s leads to a page of ours that is not there.")
            yield "link.own_gone", True, message, url
    elif is_local(host):
        message = N_("The link %(url)s in %(language)s leads to your own network: nobody else gets there.")
        yield "link.local", True, message, url
    elif host.removeprefix("www.") in SHORTENERS:
        message = N_("The link %(url)s in %(language)s is shortened: filters distrust it. Write where it leads.")
        yield "link.shortened", False, message, url
    elif parts.scheme.lower() == "http":
        message = N_("The link %(url)s in %(language)s is not encrypted: write https:// if the site has it.")
        yield "link.plain", False, message, url


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for what is no number
    except ValueError:
        return None
    return parts
