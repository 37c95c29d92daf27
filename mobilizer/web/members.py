"""Web: members. Found by their exact address, which never stands in a URL; filtered by list, language and standing."""

from __future__ import annotations

from typing import TypedDict

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.audience.addresses import BadAddress
from mobilizer.audience.queries import (
    ListSummary,
    count_members,
    languages_of_members,
    lists,
    member_by_address,
    member_detail,
    members_page,
)
from mobilizer.engagement.history import done, received
from mobilizer.http import installation
from mobilizer.organizers import audit
from mobilizer.rights.erasing import erase
from mobilizer.rights.record import as_json, record_of
from mobilizer.web.asked import number_asked
from mobilizer.web.fields import held_fields
from mobilizer.web.labels import STANDINGS
from mobilizer.web.policy import allowed, me
from mobilizer.web.words import _, problem

blueprint = Blueprint("members", __name__)


class Filters(TypedDict):
    """What narrows a page of members; see audience.queries.members_page."""

    list_id: int | None
    language: str
    standing: str


@blueprint.get("/members")
@allowed("members.see")
def index() -> ResponseReturnValue:
    """A page of members, by the filters in the address."""
    return _index()


@blueprint.post("/members/search")
@allowed("members.see")
def search() -> ResponseReturnValue:
    """Go to the member with exactly this address, or say that there is none."""
    asked = request.form.get("email", "")
    here = installation()
    try:
        with here.database.read() as session:
            found = member_by_address(session, here.keyring, asked)
    except BadAddress as bad:
        return _index(asked, problem(bad.problem)), 422
    if found is None:
        return _index(asked, _("Nobody has this address. Look for a typing error; only the whole address is found."))
    return redirect(url_for("members.show", number=found), 303)


@blueprint.get("/members/<int:number>")
@allowed("members.see")
def show(number: int) -> ResponseReturnValue:
    """One member: who they are, their lists, what they got and what they did."""
    here = installation()
    with here.database.read() as session:
        member = member_detail(session, here.keyring, number) if number < 2**63 else None
        if member is None:
            abort(404)
        return render_template(
            "members/show.html",
            member=member,
            held=held_fields(session, member.attributes),
            received=received(session, number),
            done=done(session, number),
        )


@blueprint.post("/members/<int:number>/record")
@allowed("members.record")
def record(number: int) -> ResponseReturnValue:
    """All we know of a member, as a file for them; who took it is written down."""
    here = installation()
    with here.database.write() as session:
        found = record_of(session, here.keyring, number) if number < 2**63 else None
        if found is None:
            abort(404)
        audit.record(session, me().id, "member.record", f"member:{number}")
        answer = make_response(as_json(found))
    answer.headers["Content-Type"] = "application/json; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="member-{number}.json"'
    return answer


@blueprint.post("/members/<int:number>/erase")
@allowed("members.erase")
def erase_member(number: int) -> ResponseReturnValue:
    """Erase a member, for good."""
    with installation().database.write() as session:
        if number >= 2**63 or not erase(session, number):
            abort(404)
        audit.record(session, me().id, "member.erase", f"member:{number}")
    flash(
        _("Member %(number)s is erased. Past blasts keep their sums, and no import brings them back.", number=number),
        "good",
    )
    return redirect(url_for("members.index"), 303)


def _index(asked: str = "", error: str = "") -> str:
    here = installation()
    with here.database.read() as session:
        every = lists(session)
        filters = _filters(every)
        page = members_page(session, here.keyring, before=number_asked("before"), **filters)
        return render_template(
            "members/index.html",
            page=page,
            count=count_members(session, **filters),
            lists=every,
            languages=languages_of_members(session),
            standings=STANDINGS,
            asked=asked,
            error=error,
            kept={name: request.args[name] for name in ("list", "language", "standing") if request.args.get(name)},
        )


def _filters(every: list[ListSummary]) -> Filters:
    slug, standing = request.args.get("list", ""), request.args.get("standing", "")
    chosen = next((one.id for one in every if one.slug == slug), None)
    if (slug and chosen is None) or (standing and standing not in STANDINGS):
        abort(404)
    return {"list_id": chosen, "language": request.args.get("language", ""), "standing": standing}
