"""Public: noting what happened on a page. It waits in this process for a moment, so that the page answers at once."""

from __future__ import annotations

import time

from flask import request

from mobilizer.engagement.agents import agent_of, visitor_of
from mobilizer.engagement.events import EventKind
from mobilizer.engagement.hits import Hit
from mobilizer.engagement.machines import by_agent
from mobilizer.http import installation
from mobilizer.recording import buffer_of


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
    """Note one hit of this request; of the program that asked only its class is kept. To ask without wanting the page
    (HEAD, OPTIONS) is no hit."""
    if request.method in ("HEAD", "OPTIONS"):
        return
    agent = visitor_of(request.environ) if kind is EventKind.VISIT and via else agent_of(request.environ)
    hit = Hit(
        kind=kind,
        at=time.time(),
        blast=blast,
        member=member,
        via=via,
        link_n=link_n,
        language=language,
        channel=channel,
        agent=agent,
        machine=by_agent(kind, agent),
    )
    buffer_of(installation()).note(hit)
