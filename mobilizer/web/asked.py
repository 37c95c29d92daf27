"""Web: what an address asks for, read with care."""

from __future__ import annotations

from flask import request

MOST = 2**63 - 1


def number_asked(name: str) -> int | None:
    """A whole number from the query, None where there is none or it is no number of a row."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 and int(text) <= MOST else None
