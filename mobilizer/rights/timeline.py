"""Rights: the timeline of a member. How they came, every mail and what came of it, what they did, who changed what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience.imports import Import
from mobilizer.audience.lists import Standing
from mobilizer.audience.merged import numbers_of
from mobilizer.audience.queries import ListStanding, MemberDetail
from mobilizer.audience.traces import TAGS, ImportTrace
from mobilizer.engagement.history import Done, Received, done, received
from mobilizer.keys import Keyring
from mobilizer.organizers.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened to a member or that they did; `at` is None where it is still to come.

    `kind` is came | joined | left | mail | act | changed | import, and one of the others says more: `on` the list,
    `mail`, `act`; for a change `action` and `detail` as the audit log has them, and `user_id`.
    """

    at: datetime | None
    kind: str
    on: ListStanding | None = None
    mail: Received | None = None
    act: Done | None = None
    action: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    user_id: int | None = None


def timeline(session: Session, keyring: Keyring, member: MemberDetail) -> list[Moment]:
    """All that happened with a member, the latest first; what is still to come stands above it."""
    number = member.line.id
    found = [
        Moment(member.line.created_at, "came"),
        *(moment for on in member.lists for moment in _membership(on)),
        *(Moment(mail.settled_at, "mail", mail=mail) for mail in received(session, number)),
        *(Moment(act.at, "act", act=act) for act in done(session, number)),
        *_changes(session, number),
        *_imports(session, keyring, number),
    ]
    to_come = [moment for moment in found if moment.at is None]
    past = sorted((moment for moment in found if moment.at is not None), key=_when, reverse=True)
    return to_come + past


def _when(moment: Moment) -> float:
    return moment.at.timestamp() if moment.at else 0.0


def _membership(on: ListStanding) -> Iterator[Moment]:
    yield Moment(on.joined_at, "joined", on=on)
    if on.standing is Standing.UNSUBSCRIBED:
        yield Moment(on.changed_at, "left", on=on)


def _changes(session: Session, number: int) -> Iterator[Moment]:
    """What organizers did to the record, and to those merged into it, as the audit log has it."""
    subjects = [f"member:{one}" for one in numbers_of(session, number)]
    entries = select(AuditEntry).where(AuditEntry.subject.in_(subjects)).order_by(AuditEntry.id)
    for entry in session.scalars(entries):
        yield Moment(entry.at, "changed", action=entry.action, detail=dict(entry.detail), user_id=entry.user_id)


def _imports(session: Session, keyring: Keyring, number: int) -> Iterator[Moment]:
    """What imports did to the record, as long as that is kept (see audience.undoing)."""
    rows = session.execute(
        select(ImportTrace, Import)
        .join(Import, Import.id == ImportTrace.import_id)
        .where(ImportTrace.member_id == number)
    )
    for trace, row in rows:
        change = trace.change(keyring)
        tags = change.pop(TAGS, ([], []))[1]
        detail = {"import": row.id, "fields": sorted(change), "tags": tags, "added": trace.added}
        yield Moment(row.finished_at or row.created_at, "import", detail=detail, user_id=row.created_by_id)
