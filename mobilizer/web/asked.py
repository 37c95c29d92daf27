"""Web: what an address or a form asks for, read with care."""

from __future__ import annotations

from flask import request

MOST = 2**63 - 1


def number_asked(name: str) -> int | None:
    """A whole number from the query, None where there is none or it is no number of a row."""
    return whole_number(request.args.get(name, ""))


def whole_number(text: str) -> int | None:
    """A number of a row, as we wrote it; None for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 and int(text) <= MOST else None
