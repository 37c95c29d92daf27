"""Ground: cells that a spreadsheet must not run. Guarded on the way out, bare again on the way in."""

from __future__ import annotations

import re

# What spreadsheets take for a formula (OWASP: CSV injection), perhaps behind quotes that guarded it before.
# Some read the wide signs of East Asian keyboards as the narrow ones.
_SIGNS = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(rf"'*{_SIGNS}")
_GUARDED = re.compile(rf"'+{_SIGNS}")


def guard(cell: str) -> str:
    """A cell that opens as text in every spreadsheet: one that looks like a formula gets a quote ahead of it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguard(cell: str) -> str:
    """What `guard` was given."""
    return cell[1:] if cell.startswith("'") and _GUARDED.match(cell) else cell
