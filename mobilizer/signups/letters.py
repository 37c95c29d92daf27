"""Signups: letters. To confirm, to say that there is nothing to do, to welcome: in the language that was chosen.

Not a word that a visitor typed is in a letter to an address that has not confirmed: a form must not carry messages to
strangers. The same form, answer and letter-box serve known and unknown addresses alike; only the owner can tell.
Of a discreet list they are text alone, name neither the list nor whose it is, come from its own domain, and lead there.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Identity, Member
from mobilizer.audience.sign_ups import SignUp
from mobilizer.audience.suppressing import is_suppressed
from mobilizer.blasts.blasts import Blast, BlastList, BlastState
from mobilizer.catalogs import phrases
from mobilizer.db import clock
from mobilizer.delivery.letters import LATER, hand_over, letterhead, wait_seconds
from mobilizer.installation import Installation
from mobilizer.keys import Purpose, Ticket
from mobilizer.languages import isolated, member_language
from mobilizer.message.plain import PlainMail
from mobilizer.problems import N_
from mobilizer.settings import Settings
from mobilizer.signups.asking import settle
from mobilizer.signups.dressed import CHANGE, PRESS, Dress, shown

DAYS = 7  # a sign-up is good for; then it is forgotten


@dataclass(frozen=True, slots=True)
class Words:
    """What the letters say, each with its subject."""

    confirm_subject: str
    confirm: str
    already_subject: str
    already: str
    welcome_subject: str
    welcome: str


USUAL = Words(
    confirm_subject=N_("Please confirm that you want our mails"),
    confirm=N_("""\
Somebody, we hope you, asked %(organisation)s to send the mails of “%(list)s” to this address.

If it was you, confirm it here:
%(link)s

Was it not you? Then do nothing. Without your confirmation we send you no such mails, and we soon forget this address.
"""),
    already_subject=N_("You are on our list already"),
    already=N_("""\
Somebody, perhaps you, signed this address up for “%(list)s” of %(organisation)s.
You are on this list already, so there is nothing to do.

Your languages and lists, and how to leave:
%(link)s
"""),
    welcome_subject=N_("Welcome!"),
    welcome=N_("""\
You are on “%(list)s” of %(organisation)s now. Thank you!

Change your languages and lists, or leave, at any time:
%(link)s
"""),
)
# Enough for who asked a minute ago, and nothing for who looks over their shoulder.
DISCREET = Words(
    confirm_subject=N_("Please confirm your address"),
    confirm=N_("""\
You asked for this a moment ago on %(site)s.

If it was you, look at it once more and confirm it here:
%(link)s

Was it not you? Then do nothing. Without your confirmation we write no more, and we soon forget this address.
"""),
    already_subject=N_("There is nothing to confirm"),
    already=N_("""\
You asked for this a moment ago on %(site)s.
This address is confirmed already, so there is nothing to do.

What you chose, and how to leave:
%(link)s
"""),
    welcome_subject=N_("Your address is confirmed"),
    welcome=N_("""\
You confirmed this address on %(site)s. Thank you!

Change what you chose, or leave, at any time:
%(link)s
"""),
)
KEPT = N_("""\
Of this address we keep for a year a fingerprint that nobody can read back, so that no form can be used to trouble you.
""")
PASS_ON = N_("""\
This link to the film is your own. Whoever you send it to sees the film in their language:
%(link)s
""")

log = structlog.get_logger()


def due(session: Session, limit: int) -> list[int]:
    """Sign-ups whose letter can go now, who waits longest first."""
    waiting = select(SignUp.id).where(SignUp.next_at <= clock())
    return list(session.scalars(waiting.order_by(SignUp.next_at).limit(limit)))


def send(installation: Installation, number: int) -> None:
    """Send a sign-up's letter, if it is due; one that the relay does not take now is tried again until the sign-up is
    forgotten. Safe to run at any time and any number of times. Where a worker dies with it in hand it may have gone,
    and is not sent a second time."""
    with installation.database.write() as session:
        if not _take(session, number):
            return
    with installation.database.read() as session:
        wish = session.get_one(SignUp, number)
        mail = _written(installation, session, wish)
    answer = hand_over(installation, mail) if mail else "gone"
    log.info("sign_up_letter", sign_up=number, answer=answer)
    with installation.database.write() as session:
        if answer in LATER:
            put_back = update(SignUp).where(SignUp.id == number)
            session.execute(put_back.values(next_at=clock(wait_seconds(wish.tries))))
        else:
            settle(session, number)


def _take(session: Session, number: int) -> bool:
    taken = (
        update(SignUp)
        .where(SignUp.id == number, SignUp.next_at <= clock())
        .values(tries=SignUp.tries + 1, next_at=None)
        .execution_options(synchronize_session=False)
        .returning(SignUp.id)
    )
    return session.scalar(taken) is not None


def _written(installation: Installation, session: Session, wish: SignUp) -> PlainMail | None:
    """The letter as things stand now; None where whoever joined has left again before it could go."""
    settings, keyring = installation.settings, installation.keyring
    member, joined = _member_on_list(session, wish), session.get_one(MemberList, wish.list_id)
    letter = _Letter(settings, joined, wish)
    base, tag, said = letter.head.base_url, letter.language, letter.words
    if member is None and wish.confirmed_at is not None:
        return None
    if member is None:
        reader = Identity(wish.identity(keyring).email, "")
        link = f"{base}/k/{keyring.token(Purpose.CONFIRM, Ticket(wish.id, 0))}"
        html = Dress(session, settings, joined, tag, link=link).simple(
            said.confirm_subject, (said.confirm, KEPT), PRESS
        )
        return letter.mail(reader, said.confirm_subject, [(said.confirm, link), (KEPT, "")], html=html)
    link = f"{base}/p/{keyring.token(Purpose.PREFERENCES, Ticket(member.id, 0))}"
    leave = f"{base}/u/{keyring.token(Purpose.UNSUBSCRIBE, Ticket(member.id, 0))}"
    reader = member.identity(keyring)
    dress = Dress(session, settings, joined, tag, member, link=link, preferences=link, unsubscribe=leave)
    if wish.confirmed_at is None:
        html = dress.simple(said.already_subject, (said.already,), CHANGE)
        return letter.mail(reader, said.already_subject, [(said.already, link)], leave, html)
    # A discreet one has no film and no link to pass on: its page has them, and a letter is kept.
    film = None if joined.discreet else shown(session, film_of(session, wish), tag)
    own = f"{base}/s/{member.share_code}/{film.blast}?c=email" if film and dress.by_member else ""
    html = dress.welcome(said.welcome_subject, said.welcome, film)
    parts = [(said.welcome, link), *([(PASS_ON, own)] if own else [])]
    return letter.mail(reader, said.welcome_subject, parts, leave, html)


def _member_on_list(session: Session, wish: SignUp) -> Member | None:
    """Who gets the list's mails at this address: the one who just confirmed, or did so long ago, and has not left."""
    there = select(Member).join(Subscription, Subscription.member_id == Member.id)
    there = there.where(Subscription.list_id == wish.list_id, Subscription.standing == Standing.CONFIRMED)
    confirmed = wish.member_id is not None
    who = Member.id == wish.member_id if confirmed else Member.address_key == wish.address_key
    member = session.scalars(there.where(who)).one_or_none()
    return None if member is None or is_suppressed(session, member.address_key) else member


def film_of(session: Session, wish: SignUp, *, discreet: bool = False) -> str:
    """The slug of the blast whose film they came by, else of the list's latest, or the code of its appeal where that is
    to be `discreet`; empty where there is none."""
    named = select(Appeal.code).join(Blast, Blast.appeal_id == Appeal.id) if discreet else select(Blast.slug)
    latest = (
        named.join(BlastList, BlastList.blast_id == Blast.id)
        .where(Blast.state.in_((BlastState.SENDING, BlastState.SENT)))
        .where(BlastList.list_id == wish.list_id, BlastList.included)
        .order_by(Blast.id.desc())
        .limit(1)
    )
    came_by = session.scalar(named.where(Blast.id == wish.blast_id)) if wish.blast_id else None
    return came_by or session.scalar(latest) or ""


class _Letter:
    """What the letters about one sign-up have in common: how they speak, and what they may name."""

    def __init__(self, settings: Settings, joined: MemberList, wish: SignUp) -> None:
        self.head = letterhead(settings, discreet=joined.discreet)
        self.words = DISCREET if joined.discreet else USUAL
        self.language = member_language(wish.language, settings.default_language)
        named = {"organisation": isolated(settings.organisation), "list": isolated(joined.name)}
        self._named = {"site": isolated(self.head.name)} if joined.discreet else named

    def mail(
        self, reader: Identity, subject: str, parts: list[tuple[str, str]], leave: str = "", html: str = ""
    ) -> PlainMail:
        """A letter of `parts`, each a phrase and the link in it."""
        phrase = phrases("member", self.language).gettext
        return PlainMail(
            sender_name=self.head.name,
            sender_address=self.head.address,
            name=reader.name,
            address=reader.email,
            subject=phrase(subject),
            text="\n".join(phrase(part) % {**self._named, "link": link} for part, link in parts),
            language=self.language,
            message_id=self.head.message_id("letter"),
            unsubscribe=leave,
            html=html,
        )
