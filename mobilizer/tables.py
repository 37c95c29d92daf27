"""Ground: all tables of the product in one place, imported where mappers must be complete (migrations, workers)."""

from sqlalchemy.orm import configure_mappers

from mobilizer import installation
from mobilizer.appeals import appeals, brand, comments, glossary, history, library
from mobilizer.audience import (
    fields,
    headcounts,
    imports,
    lists,
    members,
    merged,
    named_sharers,
    notes,
    sign_ups,
    suppressions,
    tags,
    traces,
)
from mobilizer.blasts import blasts, drawn, fallbacks
from mobilizer.db import Base
from mobilizer.delivery import ledger, sender_domain, testers, waves
from mobilizer.engagement import acts, events, hits, recruits
from mobilizer.notices import notices
from mobilizer.organizers import audit, factors, invitations, users
from mobilizer.rights import requests
from mobilizer.segments import segments

__all__ = [
    "Base",
    "acts",
    "appeals",
    "audit",
    "blasts",
    "brand",
    "comments",
    "drawn",
    "events",
    "factors",
    "fallbacks",
    "fields",
    "glossary",
    "headcounts",
    "history",
    "hits",
    "imports",
    "installation",
    "invitations",
    "ledger",
    "library",
    "lists",
    "members",
    "merged",
    "named_sharers",
    "notes",
    "notices",
    "recruits",
    "requests",
    "segments",
    "sender_domain",
    "sign_ups",
    "suppressions",
    "tags",
    "testers",
    "traces",
    "users",
    "waves",
]

metadata = Base.metadata


def complete() -> None:
    """Configure every mapper now, before a process forks or serves."""
    configure_mappers()
