"""Engagement: the results of a blast, language by language. People are counted once; machines are counted apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.modes import modes_of
from mobilizer.delivery.complaining import complaints
from mobilizer.delivery.ledger import Delivery, DeliveryState, of_blast
from mobilizer.engagement.acts import Acts, acts_in
from mobilizer.engagement.events import EventKind
from mobilizer.tracking import Tracking


@dataclass(slots=True)
class LanguageResults:
    """What became of the people who were mailed in one language, and what they did.

    `people` is the audience; `waiting` of them have no final answer yet. `clickers`, `watchers` ... are people,
    each once; `opens`, `clicks` and `visits` are acts. `tracking` says what of all that was counted. `reasons` counts
    (state, reason) of rejected and skipped rows.
    `complaints` are people who have the mail and called one spam since its launch.
    `visits` and `friends_watched` are acts of those who came by a member's share link, whom nobody knows.
    `machine_visits` are all that were no friend's: of machines, of members by their own link, and of crowds.
    """

    language: str
    people: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    uncertain: int = 0
    waiting: int = 0
    openers: int = 0
    opens: int = 0
    clickers: int = 0
    clicks: int = 0
    watchers: int = 0
    finishers: int = 0
    shares: int = 0
    visits: int = 0
    friends_watched: int = 0
    joins: int = 0
    unsubscribes: int = 0
    complaints: int = 0
    machine_opens: int = 0
    machine_clicks: int = 0
    machine_visits: int = 0
    reasons: dict[tuple[str, str], int] = field(default_factory=dict)
    tracking: Tracking = Tracking.PSEUDONYMOUS


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
    for act in acts_in(session, blast_id):
        if act.language in by_language:
            (_credit_friends if act.brought else _credit)(by_language[act.language], act)
    for language, people in complaints(session, blast_id).items():
        by_language[language].complaints = people
    blast = session.get(Blast, blast_id)
    tracking = modes_of(blast).tracking if blast else Tracking.PSEUDONYMOUS
    for one in by_language.values():
        one.tracking = tracking
    languages = tuple(sorted(by_language.values(), key=lambda each: (-each.people, each.language)))
    total = together(languages)
    total.tracking = tracking  # also where there is no language yet
    return Results(languages, total)


def _deliveries(blast_id: int) -> Select[str, str, str, int]:
    # A reason is told for what was not sent; the relay's own words on accepted rows are no category.
    told = Delivery.state.in_((DeliveryState.REJECTED, DeliveryState.SKIPPED))
    reason = case((told, Delivery.reason), else_="").label("reason")
    return (
        select(Delivery.language, Delivery.state, reason, func.count())
        .where(of_blast(blast_id))
        .group_by(Delivery.language, Delivery.state, reason)
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


def _credit(into: LanguageResults, act: Acts) -> None:
    match act.kind, act.machine:
        case EventKind.OPEN, False:
            into.openers += act.people
            into.opens += act.acts
        case EventKind.OPEN, True:
            into.machine_opens += act.acts
        case EventKind.CLICK, False:
            into.clickers += act.people
            into.clicks += act.acts
        case EventKind.CLICK, True:
            into.machine_clicks += act.acts
        case EventKind.WATCH, False:
            into.watchers += act.people
            into.finishers += act.finished
        case EventKind.SHARE, False:
            into.shares += act.people
        case EventKind.UNSUBSCRIBE, False:
            into.unsubscribes += act.people


def _credit_friends(into: LanguageResults, act: Acts) -> None:
    match act.kind, act.machine:
        case EventKind.VISIT, False:
            into.visits += act.acts
        case EventKind.VISIT, True:
            into.machine_visits += act.acts
        case EventKind.WATCH, False:
            into.friends_watched += act.acts
        case EventKind.JOIN, False:
            into.joins += act.acts


def together(languages: Iterable[LanguageResults]) -> LanguageResults:
    """The sum of some languages of a blast, without a name. In one blast a person has one delivery, so one language."""
    total = LanguageResults("")
    reasons: dict[tuple[str, str], int] = defaultdict(int)
    for each in languages:
        for name in LanguageResults.__dataclass_fields__:
            if name not in ("language", "reasons", "tracking"):
                setattr(total, name, getattr(total, name) + getattr(each, name))
        total.tracking = each.tracking
        for key, count in each.reasons.items():
            reasons[key] += count
    total.reasons = dict(reasons)
    return total
