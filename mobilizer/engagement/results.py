"""Engagement: the results of a blast, language by language. People are counted once; machines are counted apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Row, Select, case, distinct, func, or_, select
from sqlalchemy.orm import Session

from mobilizer.delivery.ledger import Delivery, DeliveryState, is_for, of_blast
from mobilizer.engagement.events import Event, EventKind


@dataclass(slots=True)
class LanguageResults:
    """What became of the people who were mailed in one language, and what they did.

    `people` is the audience; `waiting` of them have no final answer yet. `clickers`, `watchers` ... are people,
    each once; `clicks` and `visits` are acts. `reasons` counts (state, reason) of rejected and skipped rows.
    `visits` and `friends_watched` are acts of those who came by a member's share link, whom nobody knows.
    """

    language: str
    people: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    uncertain: int = 0
    waiting: int = 0
    openers: int = 0
    clickers: int = 0
    clicks: int = 0
    watchers: int = 0
    finishers: int = 0
    shares: int = 0
    visits: int = 0
    friends_watched: int = 0
    joins: int = 0
    unsubscribes: int = 0
    machine_opens: int = 0
    machine_clicks: int = 0
    machine_visits: int = 0
    reasons: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Results:
    """A blast's results: one entry a language, most people first, and their sum."""

    languages: tuple[LanguageResults, ...]
    total: LanguageResults


def results(session: Session, blast_id: int) -> Results:
    """What came of a blast. An event counts for the language of its member's delivery (or of the sharing member's)."""
    by_language: dict[str, LanguageResults] = {}
    for language, state, reason, count in session.execute(_deliveries(blast_id)):
        _tally(by_language.setdefault(language, LanguageResults(language)), state, reason, count)
    for row in session.execute(_acts(blast_id)):
        if row.language in by_language:
            _credit(by_language[row.language], row)
    for act in session.execute(_brought(blast_id)):
        if act.language in by_language:
            _credit_friends(by_language[act.language], act)
    languages = tuple(sorted(by_language.values(), key=lambda each: (-each.people, each.language)))
    return Results(languages, _sum(languages))


def _deliveries(blast_id: int) -> Select[str, str, str, int]:
    # A reason is told for what was not sent; the relay's own words on accepted rows are no category.
    told = Delivery.state.in_((DeliveryState.REJECTED, DeliveryState.SKIPPED))
    reason = case((told, Delivery.reason), else_="").label("reason")
    return (
        select(Delivery.language, Delivery.state, reason, func.count())
        .where(of_blast(blast_id))
        .group_by(Delivery.language, Delivery.state, reason)
    )


def _acts(blast_id: int) -> Select[str, str, bool, int, int, int]:
    """(language, kind, by a machine, acts, people, people who saw it to its end) of what members did themselves."""
    machine = (Event.machine != "").label("machine")
    finished = case((Event.channel.in_(("complete", "button")), Event.member_id))
    return (
        select(
            Delivery.language,
            Event.kind,
            machine,
            func.count().label("acts"),
            func.count(distinct(Event.member_id)).label("people"),
            func.count(distinct(finished)).label("finished"),
        )
        .join(Delivery, is_for(Event.blast_id, Event.member_id))
        .where(Event.blast_id == blast_id)
        .group_by(Delivery.language, Event.kind, machine)
    )


def _brought(blast_id: int) -> Select[str, str, bool, int]:
    """(language, kind, by a machine, acts) of friends, by the language of the member whose link brought them."""
    machine = (Event.machine != "").label("machine")
    # One viewing sends up to three signals (start, complete, button): the start stands for it.
    viewing = or_(Event.kind != EventKind.WATCH, Event.channel.in_(("start", "")))
    return (
        select(Delivery.language, Event.kind, machine, func.count().label("acts"))
        .join(Delivery, is_for(Event.blast_id, Event.via_id))
        .where(Event.blast_id == blast_id, viewing)
        .group_by(Delivery.language, Event.kind, machine)
    )


def _tally(into: LanguageResults, state: str, reason: str, count: int) -> None:
    into.people += count
    match state:
        case DeliveryState.ACCEPTED:
            into.accepted += count
        case DeliveryState.REJECTED:
            into.rejected += count
        case DeliveryState.SKIPPED:
            into.skipped += count
        case DeliveryState.UNCERTAIN:
            into.uncertain += count
        case _:
            into.waiting += count
    if state in (DeliveryState.REJECTED, DeliveryState.SKIPPED):
        into.reasons[state, reason] = into.reasons.get((state, reason), 0) + count


def _credit(into: LanguageResults, row: Row[str, str, bool, int, int, int]) -> None:
    _, kind, machine, acts, people, finished = row
    match kind, bool(machine):
        case EventKind.OPEN, False:
            into.openers = people
        case EventKind.OPEN, True:
            into.machine_opens = acts
        case EventKind.CLICK, False:
            into.clickers, into.clicks = people, acts
        case EventKind.CLICK, True:
            into.machine_clicks = acts
        case EventKind.WATCH, False:
            into.watchers, into.finishers = people, finished
        case EventKind.SHARE, False:
            into.shares = people
        case EventKind.UNSUBSCRIBE, False:
            into.unsubscribes = people


def _credit_friends(into: LanguageResults, row: Row[str, str, bool, int]) -> None:
    _, kind, machine, acts = row
    match kind, bool(machine):
        case EventKind.VISIT, False:
            into.visits = acts
        case EventKind.VISIT, True:
            into.machine_visits = acts
        case EventKind.WATCH, False:
            into.friends_watched = acts
        case EventKind.JOIN, False:
            into.joins = acts


def _sum(languages: Iterable[LanguageResults]) -> LanguageResults:
    # Languages can be summed: in one blast a person has one delivery, so one language.
    total = LanguageResults("")
    reasons: dict[tuple[str, str], int] = defaultdict(int)
    for each in languages:
        for name in LanguageResults.__dataclass_fields__:
            if name not in ("language", "reasons"):
                setattr(total, name, getattr(total, name) + getattr(each, name))
        for key, count in each.reasons.items():
            reasons[key] += count
    total.reasons = dict(reasons)
    return total
