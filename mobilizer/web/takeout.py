"""Web: taking members out as a file, with a reason. Who did it, and why, is written down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.audience import takeout
from mobilizer.audience.queries import all_lists, languages_of_members
from mobilizer.http import installation
from mobilizer.organizers import audit
from mobilizer.problems import N_, Problem
from mobilizer.segments.keeping import by_slug, segments, usable_rules
from mobilizer.segments.tree import BadRules
from mobilizer.web.policy import allowed, me
from mobilizer.web.proving import proven

blueprint = Blueprint("takeout", __name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a form asks for: slugs of a list and a segment, a language, a reason. Empty: not narrowed."""

    list: str = ""
    segment: str = ""
    language: str = ""
    reason: str = ""


@blueprint.get("/members/export")
@allowed("members.export")
def form() -> ResponseReturnValue:
    """Whom, and what for."""
    return _form(_Asked(list=request.args.get("list", ""), language=request.args.get("language", "")), [])


@blueprint.post("/members/export")
@allowed("members.export")
@proven
def take() -> ResponseReturnValue:
    """The file, as it is read; memory stays the same for a million rows."""
    here, told = installation(), {name: request.form.get(name, "") for name in _Asked.__dataclass_fields__}
    asked = _Asked(**told)
    problems = takeout.reason_problems(asked.reason)
    with here.database.read() as session:
        wanted = _wanted(session, asked)
        if isinstance(wanted, Problem):
            problems.append(wanted)
    if problems or isinstance(wanted, Problem):
        return _form(asked, problems), 422
    with here.database.write() as session:
        people = takeout.count_wanted(session, wanted)
        narrowed = {"list": asked.list, "segment": asked.segment, "language": asked.language}
        detail = {"reason": asked.reason.strip(), "people": people, **narrowed}
        audit.record(session, me().id, "members.export", "members", **detail)

    def rows() -> Iterator[bytes]:
        for _count, text in takeout.take_out(here.database, here.keyring, wanted):
            yield text.encode()

    answer = Response(rows(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="members-{datetime.now(UTC):%Y-%m-%d}.csv"'
    return answer


def _form(asked: _Asked, problems: list[Problem]) -> str:
    with installation().database.read() as session:
        return render_template(
            "members/export.html",
            asked=asked,
            problems={one.where: one for one in problems},
            lists=[(one.slug, one.name) for one in all_lists(session)],
            segments=[(one.slug, one.name) for one in segments(session)],
            languages=languages_of_members(session),
            least=takeout.LEAST_REASON,
        )


def _wanted(session: Session, asked: _Asked) -> takeout.Wanted | Problem:
    """Who is asked for; a Problem where the segment can't be used."""
    list_id = next((one.id for one in all_lists(session) if one.slug == asked.list), None)
    segment = by_slug(session, asked.segment) if asked.segment else None
    if (asked.list and list_id is None) or (asked.segment and segment is None):
        abort(404)
    try:
        fits = usable_rules(session, segment.rules).where(datetime.now(UTC)) if segment else None
    except BadRules:
        message = N_("The segment “%(name)s” can't be used: one of its rules has to be mended. Open it to see which.")
        return Problem("export.segment", message, {"name": segment.name if segment else ""}, where="segment")
    return takeout.Wanted(list_id, asked.language, fits)
