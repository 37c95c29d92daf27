"""Public: noting what happened. Buffered, so that a page answers at once; and never a reason for a page to fail."""

from __future__ import annotations

import time

import structlog
from flask import request

from mobilizer.engagement.events import EventKind
from mobilizer.engagement.hits import Hit
from mobilizer.engagement.machines import machine
from mobilizer.http import installation
from mobilizer.jobs import note_hit

log = structlog.get_logger()


def note(
    kind: EventKind,
    *,
    blast: int = 0,
    member: int = 0,
    via: int = 0,
    link_n: int = 0,
    language: str = "",
    channel: str = "",
) -> None:
    """Note one hit of this request, with the verdict of the machine rules; neither address nor agent is kept."""
    hit = Hit(
        kind=kind,
        at=time.time(),
        blast=blast,
        member=member,
        via=via,
        link_n=link_n,
        language=language,
        channel=channel,
        machine=machine(request.method, dict(request.headers)),
    )
    try:
        note_hit(installation(), hit)
    except Exception:
        # The edge of the request: a member who follows a link must arrive, counted or not.
        log.exception("hit_lost", kind=str(kind))
