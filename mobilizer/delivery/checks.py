"""Delivery: what the ledger adds to the check list: who would send it, in whose name, and who had mail lately."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from mobilizer.audience.audience import count_by_language
from mobilizer.audience.members import Member
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.checklist import CheckLine, amber, green
from mobilizer.delivery import heartbeats, sender_domain
from mobilizer.delivery.ledger import Delivery, DeliveryState, numbered
from mobilizer.problems import N_, P_, counted
from mobilizer.settings import Settings

LATELY_HOURS = 48
SENT = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN, DeliveryState.HANDING, DeliveryState.PENDING)


def ledger_checks(
    settings: Settings, session: Session, blast: Blast, only: ColumnElement[bool] | None
) -> Iterator[CheckLine]:
    """Each of them; `only` narrows the blast's lists to its people, None where nothing does."""
    yield from domain(settings, session)
    yield from workers(session)
    yield from mailed_lately(session, blast, only)


def domain(settings: Settings, session: Session) -> Iterator[CheckLine]:
    """What the DNS says of the sender's domain, as it was last looked up, and the records to publish."""
    known = sender_domain.state(session, settings)
    if not sender_domain.is_asked_about(settings):
        return
    if known.looked_at is None:
        message = N_("What the DNS says of %(domain)s has not been looked up yet.")
        yield amber("domain.unknown", message, "", "domain", domain=known.domain)
    for one in known.findings:
        yield CheckLine(one.level, one.problem, "", "domain")


def workers(session: Session) -> Iterator[CheckLine]:
    """Whether somebody is there to send it."""
    alive = heartbeats.alive(session, "worker")
    if not alive or not heartbeats.alive(session, "reconciler"):
        message = N_("No worker is running, or no reconciler: a blast would wait until both do.")
        yield amber("workers.none", message)
    else:
        forms = P_("%(count)d worker is running.", "%(count)d workers are running.")
        yield CheckLine("ok", counted("workers", forms, alive, "warning"))


def mailed_lately(session: Session, blast: Blast, only: ColumnElement[bool] | None) -> Iterator[CheckLine]:
    """How many of its people have had another blast within two days, or will."""
    since = datetime.now(UTC) - timedelta(hours=LATELY_HOURS)
    others = session.scalars(select(Blast.id).where(Blast.launched_at >= since, Blast.id != blast.id)).all()
    people = 0
    if others:
        numbers = [numbered(other, Member.id) for other in others]
        had = exists().where(Delivery.id.in_(numbers), Delivery.state.in_(SENT)).correlate(Member)
        included, excluded = (lifecycle.lists_of(session, blast.id, included=which) for which in (True, False))
        them = had if only is None else and_(only, had)
        people = sum(count for _, _, count, _ in count_by_language(session, included, excluded, them))
    if people:
        forms = P_(
            "%(count)d person had another blast within two days. A frequency cap would spare them.",
            "%(count)d people had another blast within two days. A frequency cap would spare them.",
        )
        yield CheckLine("warning", counted("audience.lately", forms, people, "warning"))
    else:
        yield green("audience.not_lately", N_("Nobody had another blast within two days."))
