"""Web: why mails wait or were refused, group by group, and the button that tries a group again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.delivery import decisions
from mobilizer.delivery.causes import Cause, Group, Kind
from mobilizer.http import installation
from mobilizer.organizers.audit import record
from mobilizer.web.blast_head import known_blast
from mobilizer.web.policy import allowed, me, permitted
from mobilizer.web.reasons import provider_name, reason_text, waiting_text
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.words import _, ngettext


@dataclass(frozen=True, slots=True)
class Line:
    """One cause as the page shows it. `said` is a code and a status, `reply` one of the replies in full."""

    key: str
    why: str
    provider: str
    said: str
    reply: str
    people: int
    next_at: datetime | None


def lines(groups: Iterable[Group]) -> list[Line]:
    """Causes as lines. A reply may quote an address, so only who may see members sees one."""
    return [_line(group) for group in groups]


@blueprint.post("/blasts/<slug>/retry")
@allowed("blasts.launch")
def retry(slug: str) -> ResponseReturnValue:
    """Try the mails of one cause now."""
    try:
        cause = Cause.parse(request.form.get("cause", ""))
    except ValueError:
        cause = Cause(Kind.REJECTED, reason="")  # a form that is none of ours is about nobody
    with installation().database.write() as session:
        blast = known_blast(session, slug)
        blast_id, stands_still = blast.id, blast.state in decisions.STANDS_STILL
        people = decisions.retry(session, blast_id, cause)
        if people:
            record(session, me().id, "blast.retry", f"blast:{blast_id}", cause=cause.key, count=people)
    if people:
        flash(_tried_again(people, stands_still), "good")
    else:
        flash(_("Nothing was changed: the blast has moved on meanwhile."), "warn")
    return redirect(url_for("blasts.progress", slug=slug), 303)


def _tried_again(people: int, stands_still: bool) -> str:
    if stands_still:
        return ngettext(
            "%(n)s mail is tried again when the blast goes on.",
            "%(n)s mails are tried again when the blast goes on.",
            people,
        )
    return ngettext("%(n)s mail is tried again now.", "%(n)s mails are tried again now.", people)


def _line(group: Group) -> Line:
    cause = group.cause
    waits = cause.kind == Kind.DEFERRED
    reply = group.reply if permitted("members.see") else ""
    return Line(
        key=cause.key,
        why=waiting_text(cause.reason or "") if waits else reason_text(cause.reason or "", cause.code),
        provider=provider_name(cause.provider or ""),
        said=" ".join(part for part in (str(cause.code or ""), "" if reply else cause.status) if part),
        reply=reply,
        people=group.people,
        next_at=group.next_at,
    )
