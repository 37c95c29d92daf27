"""Web: members. Found by their exact address, which never stands in a URL; filtered by list, language and standing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.audience import headcounts
from mobilizer.audience.addresses import BadAddress, normalise
from mobilizer.audience.lists import MemberList
from mobilizer.audience.merged import formers_of, who_stays
from mobilizer.audience.notes import notes_of
from mobilizer.audience.queries import (
    all_lists,
    count_members,
    languages_of_members,
    member_by_address,
    member_detail,
    members_page,
    narrowed,
)
from mobilizer.audience.searching import Look, by_name, folded
from mobilizer.audience.tagging import tag_names
from mobilizer.http import installation, speak
from mobilizer.languages import MEMBER_LANGUAGES, language, member_language
from mobilizer.organizers import audit
from mobilizer.organizers.accounts import accounts
from mobilizer.rights.erasing import erase
from mobilizer.rights.reading import ways_to_say
from mobilizer.rights.record import Record, as_json, record_of
from mobilizer.rights.timeline import timeline
from mobilizer.web.asked import number_asked, whole_number
from mobilizer.web.choosing import languages_on_offer
from mobilizer.web.fields import held_fields
from mobilizer.web.labels import FEWER, STANDINGS
from mobilizer.web.policy import allowed, me
from mobilizer.web.proving import proven
from mobilizer.web.screens import members as blueprint
from mobilizer.web.words import _, locale, problem

MOST_ASKED = 200


class Filters(TypedDict):
    """What narrows a page of members; see audience.queries.members_page."""

    list_id: int | None
    language: str
    standing: str
    tag_id: int | None


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


@blueprint.post("/members/look")
@allowed("members.see")
def look() -> ResponseReturnValue:
    """The members with a name, or of a domain, as far as one answer goes. What was asked stays out of the address: the
    button that goes on posts it again."""
    asked, by = request.form.get("asked", "").strip()[:MOST_ASKED], request.form.get("by", "")
    with installation().database.read() as session:
        filters = _filters(all_lists(session))
        find = _of_domain if by == "domain" else _by_name
        found = find(session, asked, filters)
        everybody = count_members(session, **filters)
    error = found if isinstance(found, str) else ""
    before, now = whole_number(request.form.get("seen", "")) or 0, found.looked_at if isinstance(found, Look) else 0
    how_far = {"seen": min(before + now, everybody), "everybody": everybody}
    shown = render_template("members/found.html", found=found, asked=asked, by=by, error=error, kept=_kept(), **how_far)
    return shown, 422 if error else 200


@blueprint.get("/members/<int:number>")
@allowed("members.see")
def show(number: int) -> ResponseReturnValue:
    """One member: who they are, their lists, what they got and what they did. The number of a record that was merged
    leads to the one who stays."""
    here = installation()
    with here.database.read() as session:
        member = member_detail(session, here.keyring, number) if number < 2**63 else None
        if member is None:
            stays = who_stays(session, number) if number < 2**63 else number
            return redirect(url_for("members.show", number=stays)) if stays != number else abort(404)
        return render_template(
            "members/show.html",
            member=member,
            formers=formers_of(session, here.keyring, number),
            held=held_fields(session, member.attributes),
            moments=timeline(session, here.keyring, member),
            notes=notes_of(session, here.keyring, number),
            authors={one.id: one.name for one in accounts(session, here.keyring)},
            known_tags=tag_names(session),
            all_lists={one.id: one.name for one in all_lists(session)},
            languages=languages_on_offer([tag for tag, _people in languages_of_members(session)]),
            record_languages=[(tag, language(tag).own_name) for tag in MEMBER_LANGUAGES],
            record_language=member_language(member.line.language, member.line.second_language),
        )


@blueprint.post("/members/<int:number>/record")
@allowed("members.record")
def record(number: int) -> ResponseReturnValue:
    """All we know of a member, as a file for them; who took it is written down."""
    answer = make_response(as_json(_taken(number)))
    answer.headers["Content-Type"] = "application/json; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="member-{number}.json"'
    return answer


@blueprint.post("/members/<int:number>/record/page")
@allowed("members.record")
def record_page(number: int) -> ResponseReturnValue:
    """The same as the member reads it, in a language of the member's pages; who took it is written down."""
    tag = request.form.get("in", "")
    if tag not in MEMBER_LANGUAGES:
        abort(400)
    found, back, back_in = _taken(number), _("Back to the member"), language(locale().language)
    speak("member", tag)
    return render_template(
        "members/record.html",
        record=found,
        back=back,
        back_in=back_in,
        spoken=language(tag),
        settings=installation().settings,
        **ways_to_say(tag),
    )


@blueprint.post("/members/<int:number>/erase")
@allowed("members.erase")
@proven
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


def _taken(number: int) -> Record:
    """The record of a member, or the page that says nothing is here; that it was taken is written down."""
    here = installation()
    with here.database.write() as session:
        found = record_of(session, here.keyring, number) if number < 2**63 else None
        if found is None:
            abort(404)
        audit.record(session, me().id, "member.record", f"member:{number}")
        return found


def _index(asked: str = "", error: str = "") -> str:
    here = installation()
    with here.database.read() as session:
        every = all_lists(session)
        filters = _filters(every)
        page = members_page(session, here.keyring, before=number_asked("before"), **filters)
        return render_template(
            "members/index.html",
            page=page,
            count=count_members(session, **filters),
            lists=every,
            tags=tag_names(session),
            languages=languages_of_members(session),
            standings=[*STANDINGS, *FEWER],
            asked=asked,
            error=error,
            kept=_kept(),
            as_of=headcounts.as_of(session),
        )


def _by_name(session: Session, asked: str, filters: Filters) -> Look | str:
    """Who has this name, or what is wrong with it."""
    if not folded(asked).split():
        return _("Write a part of a name.")
    return by_name(
        session, installation().keyring, asked, narrowed(**filters), whole_number(request.form.get("before", ""))
    )


def _of_domain(session: Session, asked: str, filters: Filters) -> Look | str:
    """Whose address is of this domain, or what is wrong with it."""
    keyring, before = installation().keyring, whole_number(request.form.get("before", ""))
    try:
        domain = normalise(f"any@{asked}").partition("@")[2]
    except BadAddress:
        return _("“%(domain)s” is not a domain. Write it like example.org.", domain=asked)
    page = members_page(session, keyring, before=before, domain_key=keyring.domain_key(domain), **filters)
    return Look(page.members, len(page.members), page.older)


def _kept() -> dict[str, str]:
    """The filters that are asked for, by their names in the address."""
    return {name: request.args[name] for name in ("list", "language", "standing", "tag") if request.args.get(name)}


def _filters(every: Sequence[MemberList]) -> Filters:
    slug, standing = request.args.get("list", ""), request.args.get("standing", "")
    chosen = next((one.id for one in every if one.slug == slug), None)
    if (slug and chosen is None) or (standing and standing not in {*STANDINGS, *FEWER}):
        abort(404)
    return {
        "list_id": chosen,
        "language": request.args.get("language", ""),
        "standing": standing,
        "tag_id": number_asked("tag"),
    }
