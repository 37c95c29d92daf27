"""Web: the audit log as a page. Who did what, the latest first; nobody can change it here or elsewhere."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from mobilizer.http import installation
from mobilizer.organizers.accounts import accounts
from mobilizer.organizers.audit import AuditEntry
from mobilizer.web.acts import KINDS, act_name
from mobilizer.web.asked import number_asked
from mobilizer.web.policy import allowed
from mobilizer.web.screens import settings as blueprint
from mobilizer.web.words import _

PAGE = 50


@blueprint.get("/audit")
@allowed("settings.audit")
def audit() -> ResponseReturnValue:
    """Entries of a kind or of a person, a page at a time."""
    here, kind, who, before = installation(), request.args.get("kind", ""), number_asked("who"), number_asked("before")
    asked = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(PAGE + 1)
    if kind in KINDS:
        asked = asked.where(AuditEntry.action.startswith(f"{kind}.", autoescape=True))
    if who is not None:
        asked = asked.where(AuditEntry.user_id == who)
    if before is not None:
        asked = asked.where(AuditEntry.id < before)
    with here.database.read() as session:
        entries = session.scalars(asked).all()
        people = {one.id: one.name or one.email for one in accounts(session, here.keyring)}
    return render_template(
        "settings/audit.html",
        entries=entries[:PAGE],
        act_name=act_name,
        people=people,
        kinds=[("", _("Everything")), *((word, _(name)) for word, name in KINDS.items())],
        kind=kind,
        who=who,
        start=_link(kind, who) if before is not None else None,
        onward=_link(kind, who, entries[PAGE - 1].id) if len(entries) > PAGE else None,
    )


def _link(kind: str, who: int | None, before: int | None = None) -> str:
    return url_for("settings.audit", kind=kind or None, who=who, before=before)
