"""Web: a number as a person types it, in the digits and with the separators of their language."""

from __future__ import annotations

import unicodedata

SEPARATORS = frozenset(" \u00a0\u202f\u2009'’.,٬،_\u200e\u200f")


def typed_number(text: str) -> int | None:
    """The whole number in `text`: '48,213', '48 213' and '٤٨٬٢١٣' are all 48213; None if it is not a number."""
    digits = ""
    for character in text.strip():
        value = unicodedata.decimal(character, None)
        if value is not None:
            digits += str(value)
        elif character not in SEPARATORS:
            return None
    return int(digits) if digits and len(digits) <= 15 else None
