"""Web: who a preview is shown as. Someone made up, or a member whom the role may see; nothing they do is counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.completeness import complete_languages
from mobilizer.audience.addresses import BadAddress
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.queries import MemberLine, lines_of, member_by_address
from mobilizer.audience.searching import by_name
from mobilizer.blasts.fallbacks import working
from mobilizer.blasts.renditions import sample_recipient
from mobilizer.blasts.tickets import NOBODY
from mobilizer.engagement.thanks import JOINED, WATCHED, said
from mobilizer.http import installation
from mobilizer.languages import choose
from mobilizer.message.content import Recipient
from mobilizer.problems import N_
from mobilizer.web.appeal_head import head, known_appeal
from mobilizer.web.asked import number_asked
from mobilizer.web.policy import allowed, permitted
from mobilizer.web.screens import appeals as blueprint
from mobilizer.web.words import _, problem

READERS = {
    "named": N_("With a name"),
    "nameless": N_("No name"),
    "long": N_("A long name"),
    "rtl": N_("Arabic name"),
}
NAMES = {
    "named": "Ana Souza",
    "nameless": "",
    "long": "Maria-Antonietta Wolfeschlegelsteinhausen de Albuquerque e Vasconcelos-Montenegro",
    "rtl": "ليلى حداد",
}
FRIENDS = {WATCHED: 12, JOINED: 3}  # that somebody who is made up has brought
MOST_FOUND = 10
MOST_ASKED = 200


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a preview is for: a kind of READERS, or a member by number. `name` is how the page calls them."""

    kind: str
    name: str
    recipient: Recipient
    member: int | None = None

    def spoken_to(self, language: str) -> Recipient:
        """The recipient of a mail in a language. Whoever is made up with a name has brought friends, too."""
        if self.member or self.kind == "nameless":
            return self.recipient
        return replace(self.recipient, values={tag: said(tag, people, language) for tag, people in FRIENDS.items()})

    @property
    def query(self) -> dict[str, Any]:
        """What asks for this reader in an address."""
        return {"member": str(self.member)} if self.member else {"reader": self.kind}


@dataclass(frozen=True, slots=True)
class Found:
    """A member who was looked for, and the preview of the language that they would get."""

    line: MemberLine
    language: str
    href: str


def reader_asked(session: Session) -> Reader:
    """The reader that the query asks for; whoever may not see members may not see a mail with their name."""
    member = number_asked("member")
    if member is not None:
        return _member(session, member)
    kind = request.args.get("reader", "")
    kind = kind if kind in READERS else next(iter(READERS))
    return Reader(kind, _(READERS[kind]), _someone(NAMES[kind]))


@blueprint.post("/appeals/<slug>/preview/member")
@allowed("members.see")
def find_reader(slug: str) -> ResponseReturnValue:
    """The members whose name or whole address was typed: each with the preview of what they would get."""
    asked, here, error = request.form.get("asked", "").strip()[:MOST_ASKED], installation(), ""
    lines: tuple[MemberLine, ...] = ()
    with here.database.read() as session:
        appeal = known_appeal(session, slug)
        shown = head(session, appeal)
        try:
            lines = _lines(session, asked)
        except BadAddress as bad:
            error = problem(bad.problem)
        found = [_found(session, appeal, line) for line in lines]
    return render_template("appeals/readers.html", appeal=shown, asked=asked, found=found, error=error), (
        422 if error else 200
    )


def _lines(session: Session, asked: str) -> tuple[MemberLine, ...]:
    keyring = installation().keyring
    if "@" in asked:
        member = member_by_address(session, keyring, asked)
        return lines_of(session, keyring, [session.get_one(Member, member)]) if member is not None else ()
    return by_name(session, keyring, asked, size=MOST_FOUND).members if asked else ()


def _found(session: Session, appeal: Appeal, line: MemberLine) -> Found:
    fallbacks = working(session).fallbacks
    offered = complete_languages(appeal)
    gets = choose(line.language, line.second_language, offered, (), appeal.source_language, fallbacks).language
    return Found(line, gets, url_for("appeals.preview", slug=appeal.slug, tag=gets, member=line.id))


def _member(session: Session, number: int) -> Reader:
    if not permitted("members.see"):
        abort(403)
    member = session.get(Member, number) or abort(404)
    identity = member.identity(installation().keyring)
    through = session.execute(
        select(MemberList.name, MemberList.slug, Subscription.joined_at)
        .join(Subscription, Subscription.list_id == MemberList.id)
        .where(Subscription.member_id == number, Subscription.standing == Standing.CONFIRMED)
        .order_by(MemberList.id)
    ).first()
    recipient = replace(
        _someone(identity.name),
        values={**{key: str(value) for key, value in member.attributes.items()}, "country": member.country or ""},
    )
    if through is not None:
        recipient.list_name, recipient.list_slug, recipient.joined_on = through[0], through[1], through[2].date()
    return Reader("member", identity.name or _("A member without a name"), recipient, number)


def _someone(name: str) -> Recipient:
    today = datetime.now(UTC).date()
    return sample_recipient(installation().keyring, NOBODY, "someone@example.org", name, today)
