"""Audience: cells that a spreadsheet must not run. Guarded on the way out, bare again on the way in."""

from __future__ import annotations

import re

# What spreadsheets take for a formula (OWASP: CSV injection), perhaps behind quotes that guarded it before.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")


def guard(cell: str) -> str:
    """A cell that opens as text in every spreadsheet: one that looks like a formula gets a quote ahead of it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguard(cell: str) -> str:
    """What `guard` was given."""
    return cell[1:] if _GUARDED.match(cell) else cell
