"""Organizers: how an entry of the audit log hashes the one before it, so that no past entry can change unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

EMPTY = b""  # what the first entry hashes


def digest(
    before: bytes,
    number: int,
    at: datetime,
    user_id: int | None,
    action: str,
    subject: str,
    detail: Mapping[str, object],
) -> bytes:
    """SHA-256 (FIPS 180-4) of an entry and of the hash before it, as JSON with sorted keys in UTF-8."""
    said = [before.hex(), number, at.astimezone(UTC).isoformat(), user_id, action, subject, detail]
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).digest()
