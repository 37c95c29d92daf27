"""Web: mails of which nobody here can say whether they arrived. The evidence, and a person's two choices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.delivery import decisions, evidence
from mobilizer.delivery.decisions import Which
from mobilizer.http import installation
from mobilizer.keys import Keyring
from mobilizer.organizers.accounts import account
from mobilizer.organizers.audit import AuditEntry, record
from mobilizer.organizers.users import User
from mobilizer.web.asked import number_asked, whole_number
from mobilizer.web.blast_head import NOT_LAUNCHED, blast_head, known_blast, place_of
from mobilizer.web.policy import allowed, me, permitted
from mobilizer.web.reasons import reason_text
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.words import _, ngettext

LATELY = 20
VERBS = {"leave": decisions.leave, "resend": decisions.resend}


class NotAsSeen(Exception):
    """There are other mails by now than those a person decided about."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was made: by whom (nobody's name: at the command line), about how many."""

    at: datetime
    who: str
    choice: str
    count: int


@blueprint.get("/blasts/<slug>/uncertain")
@allowed("blasts.see")
def uncertain(slug: str) -> ResponseReturnValue:
    """Every uncertain mail that nobody has decided about, with what is known of it."""
    here, which = installation(), _asked()
    with here.database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            return redirect(place_of(blast), 303)
        names, after = permitted("members.see"), number_asked("after") or 0
        page = evidence.undecided_page(session, here, blast.id, which, names=names, after=after)
        reasons = evidence.reasons(session, blast.id)
        count = reasons[which.reason] if which.reason is not None else reasons.total()
        onward: dict[str, Any] = {"slug": slug, "reason": which.reason}
        return render_template(
            "blasts/uncertain.html",
            blast=blast_head(blast),
            page=page,
            reason=which.reason,
            tabs=_tabs(slug, which, reasons),
            count=count,
            fields=_fields(which, count),
            resendable=blast.state in decisions.GOES_ON,
            left=evidence.decided_count(session, blast.id),
            decided=_decided(session, here.keyring, blast.id),
            onward=url_for(".uncertain", **onward, after=page.next) if page.next else None,
            start=url_for(".uncertain", **onward) if number_asked("after") else None,
        )


@blueprint.get("/blasts/<slug>/uncertain/resend")
@allowed("blasts.launch")
def confirm_resend(slug: str) -> ResponseReturnValue:
    """Ask before anybody may get a mail twice."""
    which = _asked()
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        count = decisions.count(session, blast.id, which)
        if not count or blast.state not in decisions.GOES_ON:
            return redirect(url_for(".uncertain", slug=slug), 303)
        return render_template("blasts/resend.html", blast=blast_head(blast), count=count, fields=_fields(which, count))


@blueprint.post("/blasts/<slug>/uncertain/leave")
@allowed("blasts.launch")
def leave(slug: str) -> ResponseReturnValue:
    """Let what was seen be as it is."""
    return _decide(slug, "leave")


@blueprint.post("/blasts/<slug>/uncertain/resend")
@allowed("blasts.launch")
def resend(slug: str) -> ResponseReturnValue:
    """Send what was seen again."""
    return _decide(slug, "resend")


def _decide(slug: str, choice: str) -> ResponseReturnValue:
    """Do it to what was seen; if there is more by now, nothing happens."""
    which, seen = _asked(), whole_number(request.form.get("seen", ""))
    try:
        with installation().database.write() as session:
            blast = known_blast(session, slug)
            blast_id, stands_still = blast.id, blast.state in decisions.STANDS_STILL
            count = VERBS[choice](session, blast_id, which)
            if count != seen:
                raise NotAsSeen
            one = {"delivery": which.delivery} if which.delivery is not None else {}
            record(session, me().id, f"blast.{choice}", f"blast:{blast_id}", count=count, **one)
    except NotAsSeen:
        flash(_("Nothing was changed: there are other mails by now. Look again."), "warn")
    else:
        flash(_done(choice, count, stands_still), "good")
    return redirect(url_for(".uncertain", slug=slug), 303)


def _asked() -> Which:
    return Which(request.values.get("reason"), whole_number(request.values.get("delivery", "")))


def _fields(which: Which, count: int) -> dict[str, str | int]:
    """What a form carries along: which mails, and how many a person saw."""
    said = {"seen": count, "reason": which.reason, "delivery": which.delivery}
    return {name: value for name, value in said.items() if value is not None}


def _done(choice: str, count: int, stands_still: bool) -> str:
    if choice == "leave":
        return ngettext("%(n)s mail is left as it is.", "%(n)s mails are left as they are.", count)
    if stands_still:
        return ngettext(
            "%(n)s mail is sent again when the blast goes on.",
            "%(n)s mails are sent again when the blast goes on.",
            count,
        )
    return ngettext("%(n)s mail is sent again.", "%(n)s mails are sent again.", count)


def _tabs(slug: str, which: Which, reasons: dict[str, int]) -> list[tuple[str, str, bool, int]]:
    if len(reasons) < 2 and which.reason is None:
        return []
    every = (_("All"), url_for(".uncertain", slug=slug), which.reason is None, sum(reasons.values()))
    return [every, *(
        (reason_text(reason), url_for(".uncertain", slug=slug, reason=reason), which.reason == reason, count)
        for reason, count in reasons.items()
    )]  # fmt: skip


def _decided(session: Session, keyring: Keyring, blast_id: int) -> list[Decided]:
    rows = session.execute(
        select(AuditEntry, User)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .where(AuditEntry.subject == f"blast:{blast_id}", AuditEntry.action.in_([f"blast.{verb}" for verb in VERBS]))
        .order_by(AuditEntry.id.desc())
        .limit(LATELY)
    )
    return [
        Decided(
            entry.at,
            (account(keyring, user).name or account(keyring, user).email) if user else "",
            entry.action.removeprefix("blast."),
            int(entry.detail.get("count", 0)),
        )
        for entry, user in rows
    ]
