"""The whole life of a blast in one process, which may be told to die on the way."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from mobilizer import logs, tables
from mobilizer.delivery import launch, reconcile, slices
from mobilizer.delivery.leases import leasable
from mobilizer.delivery.ledger import Batch
from mobilizer.installation import install
from mobilizer.settings import Settings

OWNER = "a sender"


def live(settings: Settings, blast: int) -> None:
    """Freeze, send, declare it sent: whatever of it is still to do."""
    logs.configure("WARNING")
    tables.complete()
    here = install(settings)
    launch.freeze(here, blast)
    due = select(Batch.id).where(leasable()).order_by(Batch.id).limit(1)

    def ask() -> int | None:
        with here.database.read() as session:
            return session.scalar(due)

    _until_none(ask, lambda batch: slices.send(here, batch, OWNER, lambda: False))
    with here.database.write() as session:
        reconcile.finish(session)


def _until_none(ask: Callable[[], int | None], do: Callable[[int], object]) -> None:
    while (found := ask()) is not None:
        do(found)
