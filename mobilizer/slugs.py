"""Ground: slugs, the readable names of lists, appeals and blasts in addresses and on the command line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import count

MAX_SLUG = 60

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def is_slug(text: str) -> bool:
    """Whether `text` can serve as a slug: lower-case ASCII words and digits joined by single hyphens."""
    return len(text) <= MAX_SLUG and _SLUG.fullmatch(text) is not None


def slug(text: str, otherwise: str) -> str:
    """A slug made of `text`, or `otherwise` where nothing of it can be written in ASCII (Arabic, emoji)."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")
    return words[:MAX_SLUG].rstrip("-") or otherwise


def free_slug(wanted: str, taken: Callable[[str], bool]) -> str:
    """`wanted`, or `wanted-2`, `wanted-3` ... : the first that is not `taken`."""
    if not taken(wanted):
        return wanted
    for n in count(2):
        ending = f"-{n}"
        candidate = wanted[: MAX_SLUG - len(ending)].rstrip("-") + ending
        if not taken(candidate):
            return candidate
    raise AssertionError("numbers do not end")
