"""Demo: the check. Launches the demo's blast through the real pages and looks at every mail that arrives."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from sqlalchemy import func, select

from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.delivery.ledger import FINAL, Delivery, DeliveryState
from mobilizer.demo import APPEAL, BLAST
from mobilizer.demo.box import Box
from mobilizer.demo.expecting import Expected, expected
from mobilizer.demo.logins import LOGINS
from mobilizer.demo.visitor import NoSuchForm, Visitor
from mobilizer.engagement.events import Event, EventKind
from mobilizer.installation import Installation, install
from mobilizer.keys import Purpose
from mobilizer.problems import read_problem
from mobilizer.transport.kept import Inbox
from mobilizer.transport.reading import read

LEAST_SECONDS = 120.0
SLOWEST_PER_SECOND = 20.0
NOTED_SECONDS = 30.0
ORGANIZERS = frozenset(login.email for login in LOGINS)  # who get notices, but no mail of the blast
Told = Callable[[int, int], None]


@dataclass(slots=True)
class Figures:
    """What the check found. `trouble` is why it could not be finished, or empty."""

    members: int = 0
    people: int = 0
    messages: int = 0
    seconds: float = 0.0
    per_second: float = 0.0
    states: dict[str, int] = field(default_factory=dict)
    languages: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    missing: int = 0
    wrong_language: int = 0
    to_unsubscribed: int = 0
    to_suppressed: int = 0
    to_strangers: int = 0
    uncertain: int = 0
    sums: bool = False
    click: bool = False
    one_click: bool = False
    watch: bool = False
    trouble: str = ""

    @property
    def holds(self) -> bool:
        """Whether everything is as promised."""
        wrong = (
            self.duplicates, self.missing, self.wrong_language, self.to_unsubscribed, self.to_suppressed,
            self.to_strangers, self.uncertain,
        )  # fmt: skip
        return (
            not any(wrong)
            and self.messages > 0
            and all((self.sums, self.click, self.one_click, self.watch))
            and not self.trouble
        )

    def as_dict(self) -> dict[str, object]:
        """For JSON, the verdict first."""
        return {"ok": self.holds, **asdict(self)}


def check(box: Box, tell: Told) -> Figures:
    """Launch, wait, look. `tell` hears (final, all) deliveries now and then."""
    installation, figures = install(box.settings()), Figures()
    with installation.database.read() as session:
        blast = session.scalars(select(Blast).where(Blast.slug == BLAST)).one()
        wanted, blast_id = expected(session, installation.keyring, blast), blast.id
        figures.members = session.scalar(select(func.count()).select_from(Member)) or 0
    figures.people = wanted.people
    try:
        _send(box, installation, blast_id, wanted, figures, tell)
        _look(box, installation, blast_id, wanted, figures)
    except (NoSuchForm, OSError) as problem:
        figures.trouble = figures.trouble or f"{type(problem).__name__}: {problem}"
    finally:
        installation.database.close()
    return figures


def _send(box: Box, installation: Installation, blast_id: int, wanted: Expected, figures: Figures, tell: Told) -> None:
    """Launch, and wait for the end."""
    tell(0, wanted.people)
    began = time.monotonic()
    _launch(box, wanted.people)
    figures.trouble = _wait(installation, blast_id, wanted.people, tell)
    figures.seconds = round(time.monotonic() - began, 2)


def _look(box: Box, installation: Installation, blast_id: int, wanted: Expected, figures: Figures) -> None:
    """Count what arrived, and be one of those who got it."""
    _ledger(installation, blast_id, figures)
    inbox = Inbox(box.home)
    _inbox(inbox, wanted, figures)
    if figures.messages:
        _follow(box, installation, inbox, figures)


def _launch(box: Box, people: int) -> None:
    """Sign in and launch, as an organizer does. Raises NoSuchForm."""
    organizer = Visitor()
    login = next(login for login in LOGINS if login.role == "organizer")
    door = organizer.get(f"{box.address}/sign-in")
    organizer.submit(door, "/sign-in", email=login.email, password=login.password)
    page = organizer.get(f"{box.address}/blasts/{BLAST}/launch")
    answer = organizer.submit(page, f"/blasts/{BLAST}/launch", people=str(people))
    if answer.status != 200 or not urlsplit(answer.address).path.endswith("/progress"):
        raise NoSuchForm(f"The launch was refused: {answer.address} answered {answer.status}.")


def _wait(installation: Installation, blast_id: int, people: int, tell: Told) -> str:
    """Wait until every delivery is final and the blast is declared sent; says why not, if not."""
    until = time.monotonic() + LEAST_SECONDS + people / SLOWEST_PER_SECOND
    while True:
        with installation.database.read() as session:
            state, held_for = session.execute(select(Blast.state, Blast.hold_reason).where(Blast.id == blast_id)).one()
            settled = select(func.count()).where(Delivery.blast_id == blast_id, Delivery.state.in_(FINAL))
            final = session.scalar(settled) or 0
        tell(final, people)
        if state == BlastState.SENT:
            return ""
        if state == BlastState.HELD:
            said = read_problem(held_for)
            return f"The blast is held: {said.text() if said else ''}"
        if time.monotonic() > until:
            return f"The blast is {state} with {final} of {people} deliveries final; waited long enough."
        time.sleep(0.2)


def _ledger(installation: Installation, blast_id: int, figures: Figures) -> None:
    with installation.database.read() as session:
        rows = session.execute(
            select(Delivery.state, func.count()).where(Delivery.blast_id == blast_id).group_by(Delivery.state)
        ).all()
    figures.states = {row[0]: row[1] for row in rows}
    # Nothing crashes here, so nothing may stay uncertain.
    figures.uncertain = figures.states.get(DeliveryState.UNCERTAIN, 0)
    figures.sums = (
        sum(figures.states.get(state, 0) for state in FINAL) == figures.people == sum(figures.states.values())
    )


def _inbox(inbox: Inbox, wanted: Expected, figures: Figures) -> None:
    arrived = {recipient: mails for recipient, mails in inbox.by_recipient().items() if recipient not in ORGANIZERS}
    figures.messages = sum(len(mails) for mails in arrived.values())
    figures.per_second = round(figures.messages / figures.seconds, 1) if figures.seconds else 0.0
    figures.duplicates = sum(len(mails) - 1 for mails in arrived.values())
    figures.missing = len(wanted.gets.keys() - arrived.keys())
    figures.to_unsubscribed = len(arrived.keys() & wanted.unsubscribed)
    figures.to_suppressed = len(arrived.keys() & wanted.suppressed)
    figures.to_strangers = len(arrived.keys() - wanted.gets.keys() - wanted.unsubscribed - wanted.suppressed)
    for recipient, mails in arrived.items():
        for _, tag in mails:
            figures.languages[tag] = figures.languages.get(tag, 0) + 1
            figures.wrong_language += tag != wanted.gets.get(recipient, tag)


def _follow(box: Box, installation: Installation, inbox: Inbox, figures: Figures) -> None:
    """Be a member: follow the link to the film, leave by one click, look at a watch page."""
    newest = next(one for one in inbox.messages() if one.recipient not in ORGANIZERS)
    mail = inbox.get(newest.id)
    assert mail is not None  # noqa: S101 - it was there a moment ago
    reading = read(mail.raw)
    link = re.search(rf'href="({re.escape(box.address)}/c/([a-z0-9]+)/1)"', reading.html)
    leave = re.search(r"<(http[^>]+)>", dict(reading.headers).get("List-Unsubscribe", ""))
    if link:
        figures.click = _click(installation, link[1], link[2])
    if leave:
        figures.one_click = _one_click(installation, leave[1])
    page = Visitor().get(f"{box.address}/w/{APPEAL}/ar")
    figures.watch = page.status == 200 and 'dir="rtl"' in page.text and "<video" in page.text


def _click(installation: Installation, address: str, token: str) -> bool:
    """Whether a click is redirected to a watch page without the token, and noted for its member."""
    answer = Visitor().get(address, follow=False)
    if answer.status != 302 or token in answer.location:
        return False
    target = answer.location if "//" in answer.location else f"{address.split('/c/')[0]}{answer.location}"
    if Visitor().get(target).status != 200:
        return False
    ticket = installation.keyring.read_token(Purpose.CLICK, token)
    noted = select(Event.id).where(Event.kind == EventKind.CLICK, Event.member_id == (ticket.member if ticket else 0))
    until = time.monotonic() + NOTED_SECONDS
    while time.monotonic() < until:
        with installation.database.read() as session:
            if session.scalar(noted.where(Event.blast_id == (ticket.blast if ticket else 0)).limit(1)):
                return True
        time.sleep(0.2)
    return False


def _one_click(installation: Installation, address: str) -> bool:
    """Whether the POST of RFC 8058, without a cookie, is answered without a redirect and takes the member off."""
    ticket = installation.keyring.read_token(Purpose.UNSUBSCRIBE, urlsplit(address).path.rpartition("/")[2])
    answer = Visitor().post(address, {"List-Unsubscribe": "One-Click"}, follow=False)
    with installation.database.read() as session:
        confirmed = session.scalar(
            select(func.count())
            .select_from(Subscription)
            .where(Subscription.member_id == (ticket.member if ticket else 0))
            .where(Subscription.standing == Standing.CONFIRMED)
        )
    return ticket is not None and answer.status == 200 and confirmed == 0
