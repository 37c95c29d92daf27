"""Audience: undoing an import. Who came by it and has not changed since goes, who was changed gets back what was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, insert, literal, select, true, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from mobilizer.audience import headcounts
from mobilizer.audience.imports import OVER, UNDO_DAYS, Import
from mobilizer.audience.joining import change_member, facts_of
from mobilizer.audience.keeping import upsert_all
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.merged import MergedMember
from mobilizer.audience.running import CHUNK
from mobilizer.audience.tagging import take_off_named
from mobilizer.audience.traces import TAGS, ImportMention, ImportSpan, ImportTrace
from mobilizer.db import clock
from mobilizer.installation import Installation
from mobilizer.keys import Keyring

# Whether something later in the story holds the record of a member, given their number.
Held = Callable[[InstrumentedAttribute[int]], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Undo:
    """What undoing an import would do now: people who leave its list, those of them whose record goes, people who get
    back what was known of them before, and people who stay: they have left or come back since, or another file names
    them, too."""

    leave: int
    gone: int
    restored: int
    stay: int


def foretell_undo(session: Session, row: Import, held: Held) -> Undo | None:
    """What an undo would do; None if there is nothing to undo, or no longer."""
    if not _may_undo(session, row):
        return None
    count, traces = select(func.count()), select(func.count()).where(ImportTrace.import_id == row.id)
    still = count.select_from(Subscription).where(_brought(row))
    traced = still.join(ImportTrace, ImportTrace.member_id == Subscription.member_id).where(
        ImportTrace.import_id == row.id, ImportTrace.joined
    )
    among = Subscription.member_id.between(ImportSpan.first_id, ImportSpan.last_id)
    spanned = still.join(ImportSpan, among).where(ImportSpan.import_id == row.id)
    free = _free(Subscription.member_id, row, held)
    leave = _sum(session, traced, spanned)
    members = count.select_from(Member).join(ImportSpan, Member.id.between(ImportSpan.first_id, ImportSpan.last_id))
    undo = Undo(
        leave=leave,
        gone=_sum(session, traced.where(ImportTrace.added, free), spanned.where(free)),
        restored=_sum(session, traces.where(~ImportTrace.added, ImportTrace.changed.is_not(None))),
        stay=_sum(session, traces.where(ImportTrace.joined), members.where(ImportSpan.import_id == row.id)) - leave,
    )
    return undo if undo.leave or undo.restored else None


def start_undo(session: Session, row: Import) -> bool:
    """Let an undo run: the caller commits, then queues it. False where it is too late, or has begun already."""
    session.flush()
    over = update(Import).where(
        Import.id == row.id, Import.state.in_(OVER), Import.finished_at > clock(-UNDO_DAYS * 86400)
    )
    return session.scalar(over.values(state="undoing").returning(Import.id)) is not None


def run_undo(installation: Installation, import_id: int, held: Held) -> None:
    """Undo an import that `start_undo` has let go: the body of the job. Safe to run again, and twice at once.

    Some members at a time, each time one transaction that also forgets what the import did to them: a run that was
    killed is resumed where it stood.
    """
    more = True
    while more:
        with installation.database.write() as session:
            row = session.scalar(select(Import).where(Import.id == import_id).with_for_update())
            if row is None or row.state != "undoing":
                return
            more = _undo_some(session, installation.keyring, row, held)
            if not more:
                row.state = "undone"
                session.execute(delete(ImportMention).where(ImportMention.import_id == import_id))
                headcounts.doubt(session)


def forget_traces(session: Session, most: int) -> int:
    """Forget what imports did that can't be undone any more, for `most` members at once. Returns for how many."""
    over = select(Import.id).where(Import.finished_at <= clock(-UNDO_DAYS * 86400), Import.state != "undoing")
    key = ImportTrace.import_id, ImportTrace.member_id
    some = select(*key).where(ImportTrace.import_id.in_(over)).limit(most)
    gone = delete(ImportTrace).where(tuple_(*key).in_(some)).returning(ImportTrace.member_id)
    spans = delete(ImportSpan).where(ImportSpan.import_id.in_(over)).returning(ImportSpan.import_id)
    session.execute(delete(ImportMention).where(ImportMention.import_id.in_(over)))
    return len(session.scalars(gone).all()) + len(session.scalars(spans).all())


def _may_undo(session: Session, row: Import) -> bool:
    fresh = select(Import.id).where(Import.id == row.id, Import.finished_at > clock(-UNDO_DAYS * 86400))
    return row.state in OVER and session.scalar(fresh) is not None


def _undo_some(session: Session, keyring: Keyring, row: Import, held: Held) -> bool:
    """Undo what was done to the next members; False when nobody is left."""
    asked = select(ImportTrace).where(ImportTrace.import_id == row.id).order_by(ImportTrace.member_id).limit(CHUNK)
    traces = session.scalars(asked).all()
    if not traces:
        return _unfold(session, row)
    ids = [trace.member_id for trace in traces]
    joined = [trace.member_id for trace in traces if trace.joined]
    among = select(Subscription.member_id).where(_brought(row), Subscription.member_id.in_(joined))
    leaving = set(session.scalars(among).all())
    added = [trace.member_id for trace in traces if trace.added and trace.member_id in leaving]
    going = session.scalars(select(Member.id).where(Member.id.in_(added), _free(Member.id, row, held))).all()
    _pass_on(session, row, traces)
    restored = sum(_restore(session, keyring, trace) for trace in traces)
    session.execute(
        delete(Subscription).where(Subscription.list_id == row.list_id, Subscription.member_id.in_(leaving))
    )
    session.execute(delete(ImportTrace).where(ImportTrace.import_id == row.id, ImportTrace.member_id.in_(ids)))
    session.execute(delete(Member).where(Member.id.in_(going)))
    _count(row, leaving, going, restored)
    return True


def _unfold(session: Session, row: Import) -> bool:
    """Write the next span as a trace of each who is still a member; False when there is none."""
    order = select(ImportSpan).where(ImportSpan.import_id == row.id).order_by(ImportSpan.first_id).limit(1)
    span = session.scalar(order)
    if span is None:
        return False
    who = select(literal(row.id), Member.id, true(), true()).where(Member.id.between(span.first_id, span.last_id))
    session.execute(insert(ImportTrace).from_select(["import_id", "member_id", "added", "joined"], who))
    session.delete(span)
    return True


def _sum(session: Session, *counts: Select[int]) -> int:
    return sum(session.scalars(count).one() for count in counts)


def _restore(session: Session, keyring: Keyring, trace: ImportTrace) -> bool:
    """Give a member back what was known before, where it is still what the import made of it; take its tags off."""
    change, member = trace.change(keyring), session.get(Member, trace.member_id)
    if not change or member is None:
        return False
    _, tags = change.pop(TAGS, ([], []))
    off = bool(tags) and take_off_named(session, member.id, tags)
    now = facts_of(member, keyring, change)
    before = {name: was for name, (was, made) in change.items() if now[name] == made}
    change_member(session, keyring, member, before)
    return not trace.added and (bool(before) or off)


def _count(row: Import, leaving: Collection[int], going: Sequence[int], restored: int) -> None:
    undone = Counter(row.options.get("undone", {}))
    undone.update({"leave": len(leaving), "gone": len(going), "restored": restored})
    row.options = {**row.options, "undone": dict(undone)}


def _brought(row: Import) -> ColumnElement[bool]:
    """A subscription that nobody has touched since it was made, of somebody whom no other import names."""
    on = aliased(Subscription)
    named = (
        select(on.member_id)
        .join(ImportMention, on.member_id.between(ImportMention.first_id, ImportMention.last_id))
        .where(on.list_id == row.list_id, ImportMention.import_id.in_(_others(row)))
    )
    return and_(
        Subscription.list_id == row.list_id,
        Subscription.standing == Standing.CONFIRMED,
        Subscription.changed_at == Subscription.joined_at,
        Subscription.member_id.not_in(named),
    )


def _others(row: Import) -> Select[int]:
    """The other imports into the same list that stand."""
    return select(Import.id).where(
        Import.list_id == row.list_id, Import.id != row.id, Import.state.in_(("running", *OVER))
    )


def _pass_on(session: Session, row: Import, traces: Sequence[ImportTrace]) -> None:
    """Whoever came by this import and is named by another, too, came by that from now on: it takes them along."""
    added = {trace.member_id: trace.added for trace in traces if trace.joined}
    asked = (
        select(Member.id, func.min(ImportMention.import_id))
        .join(ImportMention, Member.id.between(ImportMention.first_id, ImportMention.last_id))
        .where(Member.id.in_(added), ImportMention.import_id.in_(_others(row)))
        .group_by(Member.id)
    )
    rows = [
        {"import_id": heir, "member_id": number, "added": added[number], "joined": True}
        for number, heir in session.execute(asked)
    ]
    upsert_all(session, ImportTrace, rows, ["import_id", "member_id"], ["added", "joined"])


def _free(member: InstrumentedAttribute[int], row: Import, held: Held) -> ColumnElement[bool]:
    """Whether nothing but this import holds a member's record: no other list, no other import, nobody they brought, no
    record merged into it."""
    recruit, trace, other = aliased(Member), aliased(ImportTrace), aliased(Subscription)
    return ~(
        exists().where(other.member_id == member, other.list_id != row.list_id)
        | exists().where(trace.member_id == member, trace.import_id != row.id)
        | exists().where(recruit.recruited_by_id == member)
        | exists().where(MergedMember.into_id == member)
        | held(member)
    )
