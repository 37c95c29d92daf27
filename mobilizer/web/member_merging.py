"""Web: two records of one person become one. Look for the other, see both side by side, choose who stays."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.audience.addresses import BadAddress
from mobilizer.audience.notes import notes_of
from mobilizer.audience.queries import MemberDetail, member_by_address, member_detail
from mobilizer.engagement.history import received
from mobilizer.http import installation
from mobilizer.organizers.audit import record
from mobilizer.problems import N_
from mobilizer.rights.merging import Refused, merge, refusal
from mobilizer.web.asked import whole_number
from mobilizer.web.fields import Held, held_fields
from mobilizer.web.member_changes import known_member
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import members as blueprint
from mobilizer.web.words import _, problem

REFUSED = {
    Refused.SAME: N_("This is the very record you started from. Choose another one."),
    Refused.GONE: N_("Nobody has this number or address. Look for a typing error; only the whole address is found."),
    Refused.LAUNCHING: N_(
        "The people of a blast are being written down. Merge the two when it is on its way; if it is held, when it has "
        "gone on or is cancelled."
    ),
    Refused.OPEN: N_(
        "A mail to one of the two is still under way, or nobody has decided yet about one whose answer was lost. "
        "Merge them when the blast is sent and everything uncertain in it is decided."
    ),
}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two records as the page shows it."""

    member: MemberDetail
    held: list[Held]
    mails: int
    notes: int


@blueprint.get("/members/<int:number>/merge")
@allowed("members.edit")
def merge_with(number: int) -> ResponseReturnValue:
    """Ask for the other record."""
    with installation().database.read() as session:
        known_member(session, number)
    return _ask(number)


@blueprint.post("/members/<int:number>/merge")
@allowed("members.edit")
def find_other(number: int) -> ResponseReturnValue:
    """Go to the two side by side, by the other's number or exact address; or say why not."""
    asked = request.form.get("other", "").strip()
    with installation().database.read() as session:
        known_member(session, number)
        try:
            other = whole_number(asked) or member_by_address(session, installation().keyring, asked)
        except BadAddress as bad:
            return _ask(number, asked, problem(bad.problem)), 422
        refused = refusal(session, number, other) if other else Refused.GONE
    if refused is not None:
        return _ask(number, asked, _(REFUSED[refused])), 422
    return redirect(url_for("members.compare", number=number, other=other), 303)


@blueprint.get("/members/<int:number>/merge/<int:other>")
@allowed("members.edit")
def compare(number: int, other: int) -> ResponseReturnValue:
    """Both records side by side, and who is to stay."""
    with installation().database.read() as session:
        return _both(session, number, other)


@blueprint.post("/members/<int:number>/merge/<int:other>")
@allowed("members.edit")
def merge_both(number: int, other: int) -> ResponseReturnValue:
    """Merge the two; or show them again and say why not."""
    stays = whole_number(request.form.get("stays", ""))
    if stays not in (number, other):
        abort(400)
    gone = other if stays == number else number
    here = installation()
    with here.database.write() as session:
        known_member(session, number)
        known_member(session, other)
        refused = merge(session, here.keyring, gone, stays)
        if refused is not None:
            return _both(session, number, other, refused), 422
        record(session, me().id, "member.merge", f"member:{stays}", merged=gone)
    flash(_("The two records are one. Links in mails to the other one lead here."), "good")
    return redirect(url_for("members.show", number=stays), 303)


def _ask(number: int, asked: str = "", error: str = "") -> str:
    return render_template("members/merge.html", number=number, asked=asked, error=error)


def _both(session: Session, number: int, other: int, refused: Refused | None = None) -> str:
    sides = [_side(session, one) for one in (number, other)]
    refused = refused or refusal(session, number, other)
    if refused is Refused.SAME:
        abort(404)
    return render_template(
        "members/compare.html", number=number, other=other, sides=sides, refused=_(REFUSED[refused]) if refused else ""
    )


def _side(session: Session, number: int) -> Side:
    keyring = installation().keyring
    detail = member_detail(session, keyring, number) if number < 2**63 else None
    if detail is None:
        abort(404)
    mails, notes = received(session, number), notes_of(session, keyring, number)
    return Side(detail, held_fields(session, detail.attributes), len(mails), len(notes))
