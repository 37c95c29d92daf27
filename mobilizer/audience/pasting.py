"""Audience: addresses as they are copied from a mail program's line of recipients.  (pure)"""

from __future__ import annotations

import re


def one_a_line(text: str) -> str:
    """`Ana <ana@example.org>, bob@example.org` with each address on a line of its own; any other text as it is."""
    parts = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
    lines = [line for line in text.splitlines() if line.strip()]
    listed = len(parts) > len(lines) and all(part.count("@") == 1 for part in parts)
    return "\n".join(parts) if listed else text
