"""Custody: retention. The one list of what is kept for how long, and the work of forgetting it, a chunk at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog
from sqlalchemy import String, cast, delete, exists, func, literal, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from mobilizer.audience import headcounts, undoing
from mobilizer.audience.importing import WAITING_SECONDS, forget_uploads
from mobilizer.audience.imports import UNDO_DAYS, Import
from mobilizer.audience.leaving_reasons import forget_reasons
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.reporting import ReportedRow, forget_erased
from mobilizer.blasts.blasts import Blast
from mobilizer.db import clock
from mobilizer.delivery import leases
from mobilizer.delivery.ledger import Delivery, of_blast
from mobilizer.engagement import damaged, forgetting
from mobilizer.engagement.hits import forget_parcels
from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry, record
from mobilizer.organizers.invitations import GOOD_HOURS, forget_late
from mobilizer.organizers.users import UserSession
from mobilizer.problems import N_
from mobilizer.rights.holding import held
from mobilizer.settings import Settings
from mobilizer.signups import asking, letters

CHUNK = 2000
REPLIES_GONE = "replies.forget"  # as the audit log has it
DAY = 86_400
FILE_DAYS = WAITING_SECONDS / DAY
UNCONFIRMED_DAYS = 7
REQUEST_DAYS = 1
LEASE_DAYS = 7
PARCEL_DAYS = 7

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that is kept for a time: what, for how many days (None: for ever), and what forgets it.

    `setting` names the setting that says how long, empty where it is fixed. `forget` yields after each transaction how
    much went with it.
    """

    name: str
    what: str
    days: Callable[[Settings], float | None]
    setting: str = ""
    forget: Callable[[Installation, float], Iterator[int]] | None = None


def forget(installation: Installation) -> Iterator[tuple[str, int]]:
    """One round of forgetting all that is over its time: (rule, how much) after each transaction. Safe to stop
    anywhere, and to run twice at once."""
    for rule in RULES:
        days = rule.days(installation.settings)
        if rule.forget is None or days is None:
            continue
        gone = 0
        for some in rule.forget(installation, days * DAY):
            gone += some
            yield rule.name, some
        if gone:
            log.info("forgotten", what=rule.name, count=gone)


def _until_none(step: Callable[[Session, float], int]) -> Callable[[Installation, float], Iterator[int]]:
    """Take a step, a transaction each, until one finds nothing."""

    def steps(installation: Installation, seconds: float) -> Iterator[int]:
        some = 1
        while some:
            with installation.database.write() as session:
                some = step(session, seconds)
            yield some

    return steps


def _uploads(installation: Installation, _seconds: float) -> Iterator[int]:
    with installation.database.write() as session:
        gone = forget_uploads(session, installation)
    yield gone


def _damaged(installation: Installation, seconds: float) -> Iterator[int]:
    yield damaged.forget_damaged(installation.settings.home, seconds)


def _reports(installation: Installation, seconds: float) -> Iterator[int]:
    """Reports that are old, then of the others the rows of people who were erased."""
    yield from _until_none(_old_reports)(installation, seconds)
    yield from _until_none(_old_names)(installation, seconds)
    yield from _until_none(lambda session, _seconds: forget_erased(session, CHUNK))(installation, seconds)


def _old_reports(session: Session, seconds: float) -> int:
    """The rows of an import's report; its figures stay."""
    old = select(Import.id).where(Import.finished_at < clock(-seconds))
    key = ReportedRow.import_id, ReportedRow.number
    some = select(*key).where(ReportedRow.import_id.in_(old)).limit(CHUNK)
    gone = delete(ReportedRow).where(tuple_(*key).in_(some)).returning(ReportedRow.number)
    return len(session.scalars(gone).all())


def _old_names(session: Session, seconds: float) -> int:
    """The names of an import's file and of its columns."""
    old = select(Import.id).where(
        Import.finished_at < clock(-seconds), Import.sealed_header.is_not(None) | Import.sealed_name.is_not(None)
    )
    gone = update(Import).where(Import.id.in_(old.limit(CHUNK))).values(sealed_header=None, sealed_name=None)
    return len(session.scalars(gone.returning(Import.id)).all())


def _traces(session: Session, _seconds: float) -> int:
    return undoing.forget_traces(session, CHUNK)


def _unconfirmed(session: Session, seconds: float) -> int:
    """Who never confirmed leaves the list, and goes altogether if nothing else holds them."""
    for number in session.scalars(select(MemberList.id)).all():
        waiting = select(Subscription.member_id).where(
            Subscription.list_id == number,
            Subscription.standing == Standing.PENDING,
            Subscription.changed_at < clock(-seconds),
        )
        if gone := session.scalars(waiting.limit(CHUNK)).all():
            session.execute(
                delete(Subscription).where(
                    Subscription.list_id == number,
                    Subscription.standing == Standing.PENDING,
                    Subscription.member_id.in_(gone),
                )
            )
            other, recruit = aliased(Subscription), aliased(Member)
            free = ~(
                exists().where(other.member_id == Member.id)
                | exists().where(recruit.recruited_by_id == Member.id)
                | held(Member.id)
            )
            session.execute(delete(Member).where(Member.id.in_(gone), free))
            headcounts.doubt(session)
            return len(gone)
    return 0


def _sessions(session: Session, _seconds: float) -> int:
    over = select(UserSession.token_hash).where(UserSession.expires_at <= clock()).limit(CHUNK)
    gone = delete(UserSession).where(UserSession.token_hash.in_(over)).returning(UserSession.token_hash)
    return len(session.scalars(gone).all())


def _replies(installation: Installation, seconds: float) -> Iterator[int]:
    """The relays' words on the deliveries of blasts that are over; what became of each stays. The audit log says of
    which blasts they are gone, so that nobody looks for them again."""
    subject = literal("blast:").concat(cast(Blast.id, String))
    gone_before = exists().where(AuditEntry.action == REPLIES_GONE, AuditEntry.subject == subject)
    old = select(Blast.id).where(Blast.finished_at < clock(-seconds), ~gone_before)
    with installation.database.read() as session:
        blasts = session.scalars(old.order_by(Blast.id)).all()
    for blast_id in blasts:
        after = 0
        while True:
            with installation.database.write() as session:
                part = select(Delivery.id).where(of_blast(blast_id, after)).order_by(Delivery.id).limit(CHUNK)
                last = session.scalar(select(func.max(part.subquery().c.id)))
                if last is None:
                    record(session, None, REPLIES_GONE, f"blast:{blast_id}")
                    break
                said = of_blast(blast_id, after), Delivery.id <= last, Delivery.reply != ""
                gone = session.scalars(update(Delivery).where(*said).values(reply="").returning(Delivery.id)).all()
            after = last
            yield len(gone)


def _fixed(days: float | None) -> Callable[[Settings], float | None]:
    return lambda _settings: days


RULES = (
    Rule("uploads", N_("Uploaded files that nobody chose anything for"), _fixed(FILE_DAYS), forget=_uploads),
    Rule(
        "traces",
        N_("What an import changed, so that it can be undone"),
        _fixed(UNDO_DAYS),
        forget=_until_none(_traces),
    ),
    Rule(
        "reports",
        N_("Reports of imports, with the rows to mend, and the names of their files and columns"),
        lambda settings: settings.keep_reports_days,
        "MOBILIZER_KEEP_REPORTS_DAYS",
        _reports,
    ),
    Rule(
        "unconfirmed",
        N_("Sign-ups that were never confirmed"),
        _fixed(UNCONFIRMED_DAYS),
        forget=_until_none(_unconfirmed),
    ),
    Rule(
        "sign_ups",
        N_("What was typed into a list's form, confirmed or not; consent is kept with the member"),
        _fixed(letters.DAYS),
        forget=_until_none(lambda session, seconds: asking.forget_asking(session, seconds, CHUNK)),
    ),
    Rule(
        "events",
        N_("Who opened, clicked, watched or shared what; the sums of each blast stay"),
        lambda settings: settings.keep_events_days,
        "MOBILIZER_KEEP_EVENTS_DAYS",
        _until_none(lambda session, seconds: forgetting.forget_acts(session, seconds, CHUNK)),
    ),
    Rule(
        "leaving_reasons",
        N_("What members gave as their reason for leaving"),
        lambda settings: settings.keep_events_days,
        "MOBILIZER_KEEP_EVENTS_DAYS",
        _until_none(lambda session, seconds: forget_reasons(session, seconds, CHUNK)),
    ),
    Rule(
        "replies",
        N_("What relays answered to each mail, after its blast is over; what became of the mail stays"),
        lambda settings: settings.keep_replies_days,
        "MOBILIZER_KEEP_REPLIES_DAYS",
        _replies,
    ),
    Rule(
        "leases",
        N_("Which worker had which mails in hand; where an answer was lost, until the blast is gone"),
        _fixed(LEASE_DAYS),
        forget=_until_none(lambda session, seconds: leases.forget(session, seconds, CHUNK)),
    ),
    Rule(
        "parcels",
        N_("Which parcels of clicks were written down, so that none is counted twice"),
        _fixed(PARCEL_DAYS),
        forget=_until_none(lambda session, seconds: forget_parcels(session, seconds, CHUNK)),
    ),
    Rule(
        "damaged",
        N_("Parcels of clicks that were damaged and could not be counted"),
        _fixed(damaged.KEPT_DAYS),
        forget=_damaged,
    ),
    Rule(
        "requests",
        N_("That a member asked for their record"),
        _fixed(REQUEST_DAYS),
        forget=_until_none(lambda session, seconds: forgetting.forget_requests(session, seconds, CHUNK)),
    ),
    Rule(
        "sessions",
        N_("Signed-in browsers of organizers"),
        lambda settings: settings.session_hours / 24,
        "MOBILIZER_SESSION_HOURS",
        _until_none(_sessions),
    ),
    Rule(
        "invitations",
        N_("Invitations that nobody has followed"),
        _fixed(GOOD_HOURS / 24),
        forget=_until_none(lambda session, _seconds: forget_late(session)),
    ),
    Rule(
        "asked",
        N_("Fingerprints of addresses that were asked to confirm, so that none is often"),
        _fixed(asking.ASKED_DAYS),
        forget=_until_none(lambda session, seconds: asking.forget_asked(session, seconds, CHUNK)),
    ),
    Rule("suppressions", N_("Fingerprints of addresses that must not be mailed"), _fixed(None)),
    Rule("deliveries", N_("Which mail went to whom, and what became of it, until the member is erased"), _fixed(None)),
    Rule("draws", N_("Who was drawn by lot for a blast, until the member is erased"), _fixed(None)),
    Rule("audit", N_("What organizers did"), _fixed(None)),
)
