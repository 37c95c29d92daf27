"""Public: preferences. A member chooses languages, lists and how much reaches them; the page speaks as they chose."""

from __future__ import annotations

from babel.dates import format_date
from flask import Response, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from mobilizer.appeals.appeals import Translation
from mobilizer.audience import leaving_reasons, standing
from mobilizer.audience.lists import Standing
from mobilizer.audience.members import Member
from mobilizer.audience.merged import renew_share_codes
from mobilizer.audience.named_sharers import agree, is_named, take_back
from mobilizer.audience.preferences import Fewer, count_sharing, get_fewer, preferences_of
from mobilizer.audience.suppressing import is_suppressed
from mobilizer.catalogs import phrases
from mobilizer.engagement.events import EventKind
from mobilizer.engagement.sharing import brought_by
from mobilizer.engagement.thanks import OPENED, said
from mobilizer.http import installation
from mobilizer.keys import Purpose, Ticket
from mobilizer.languages import isolated, language
from mobilizer.problems import N_
from mobilizer.public.answers import at, elsewhere, missing, page
from mobilizer.public.holders import Holder, followed, holder_of, ticket_of
from mobilizer.public.leaving import remember
from mobilizer.public.tongues import MEMBER, asked_language, nearest, spelled

# What a member agrees to; kept with them to the letter, in the language they read it in.
NAMING = N_("Yes, the people of %(organisation)s may see my name beside what came of my link.")


def show(token: str) -> Response:
    """The form, as things stand."""
    ticket = ticket_of(Purpose.PREFERENCES, token)
    if ticket is None:
        return missing()
    with installation().database.read() as session:
        ticket = followed(session, ticket)
        holder = holder_of(session, ticket)
        return _form(session, holder, ticket)


def save(token: str) -> Answer:
    """Save the form; a value that was never offered changes nothing. The page that follows speaks the language that
    was chosen, if it is another one now."""
    ticket = ticket_of(Purpose.PREFERENCES, token)
    if ticket is None:
        return missing()
    with installation().database.write() as session:
        ticket = followed(session, ticket, lock=True)
        holder = holder_of(session, ticket)
        if holder.member is None:
            return elsewhere(at("preferences", token))
        before, spoke = _lists(session, holder.member), holder.member.language
        _set_languages(session, holder.member)
        _set_lists(session, holder.member)
        _set_mails(session, holder.member)
        session.flush()
        remember(session, EventKind.PREFERENCES, holder)
        if before and not _lists(session, holder.member):
            remember(session, EventKind.UNSUBSCRIBE, holder)
        asked = asked_language() if holder.member.language == spoke else ""
    return elsewhere(at("preferences", token, saved=1, **{"in": asked or None}))


def _set_languages(session: Session, member: Member) -> None:
    offered = _offered(session, member)
    first, second = request.form.get("language", ""), request.form.get("second_language")
    if first in offered:
        member.language = first
    if second == "" or second in offered:
        member.second_language = None if second in ("", member.language) else second


def _set_lists(session: Session, member: Member) -> None:
    if "lists_shown" not in request.form:
        return
    known = {at.list_id for at in standing.lists_of(session, member.id) if at.standing is not Standing.PENDING}
    shown = known & set(request.form.getlist("lists_shown", type=int))
    wanted = shown & set(request.form.getlist("lists", type=int))
    if standing.rejoin(session, member.id, sorted(wanted)):
        leaving_reasons.take_back(session, member.id)
    standing.leave(session, member.id, sorted(shown - wanted))


def _set_mails(session: Session, member: Member) -> None:
    offered = {"all": None, **{one.value: one for one in Fewer}}
    if (wanted := request.form.get("mails", "")) in offered:
        get_fewer(session, member.id, offered[wanted])
    if "counts_shown" in request.form:
        member.tracking = "tracking" in request.form
        count_sharing(session, member.id, counted="sharing" in request.form)
    if "spoken" in request.form:
        _set_name(session, member)
    if "renew" in request.form:
        renew_share_codes(session, member)


def _set_name(session: Session, member: Member) -> None:
    tag = nearest(request.form.get("spoken", "")[:35], MEMBER)
    if "named" not in request.form:
        take_back(session, member.id)
    elif tag:
        agree(session, member.id, _naming(tag), tag)


def _naming(tag: str) -> str:
    return phrases("member", tag).gettext(NAMING) % {"organisation": isolated(installation().settings.organisation)}


def _form(session: Session, holder: Holder, ticket: Ticket) -> Response:
    member, keyring, tag = holder.member, installation().keyring, holder.language
    lists = standing.lists_of(session, member.id) if member else []
    chosen = preferences_of(session, member.id) if member else None
    brought = brought_by(session, member.id) if member and chosen and not chosen.uncounted else None
    return page(
        "preferences.html",
        tag,
        member=member,
        suppressed=member is not None and is_suppressed(session, member.address_key),
        chosen=chosen,
        naming=_naming(tag),
        named=member is not None and is_named(session, member.id),
        brought=brought,
        travelled=said(OPENED, brought.opened, tag) if brought and brought.opened else "",
        lists=[at for at in lists if at.standing is not Standing.PENDING],
        token=keyring.token(Purpose.PREFERENCES, ticket),
        unsubscribe=keyring.token(Purpose.UNSUBSCRIBE, ticket),
        saved="saved" in request.args,
        asked=asked_language(),
        day=lambda moment: format_date(moment, "long", locale=tag.replace("-", "_")),
        offered=[language(at) for at in _offered(session, member)],
    )


def _offered(session: Session, member: Member | None) -> list[str]:
    tags = {*MEMBER, *session.scalars(select(Translation.language).distinct())}
    if member:
        tags |= {tag for tag in (member.language, member.second_language) if tag}
    known = {tag for tag in tags if spelled(tag)}
    return sorted(known, key=lambda tag: language(tag).own_name.casefold())


def _lists(session: Session, member: Member) -> list[int]:
    return [at.list_id for at in standing.lists_of(session, member.id) if at.standing is Standing.CONFIRMED]
