"""Web: our own files, addressed by their content, so that a browser may keep them for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import url_for

STATIC = Path(__file__).parent / "static"


def asset(name: str) -> str:
    """The address of a file in static/; it changes when the file does."""
    return url_for("web.static", filename=name, v=_version(name, (STATIC / name).stat().st_mtime_ns))


@cache
def _version(name: str, _changed: int) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
