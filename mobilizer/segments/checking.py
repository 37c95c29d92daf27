"""Segments: the whole check list of a blast, the same wherever it is shown and wherever it forbids a launch."""

from __future__ import annotations

from datetime import date
from functools import partial

from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import Checklist, check
from mobilizer.delivery.checks import ledger_checks
from mobilizer.delivery.fewer import rests
from mobilizer.installation import Installation
from mobilizer.segments.choosing import whom


def checked(session: Session, installation: Installation, blast: Blast, today: date) -> Checklist:
    """Every line there is about a blast as it is now."""
    more = (partial(ledger_checks, installation.settings),)
    return check(session, installation, blast, today, whom, more, rests(blast.id))
