"""Bench: judging. How well the rules tell people from gateways, and friends from who passed it on, on traces whose
truth is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mobilizer.bench.passing_on import passed_on
from mobilizer.bench.traces import HIDDEN, traces
from mobilizer.engagement.agents import agent_of
from mobilizer.engagement.machines import Act, verdicts
from mobilizer.engagement.own_visits import visit_verdicts

SEED = 11


@dataclass(frozen=True, slots=True)
class Judged:
    """`precision`: of the acts that are called a machine's, how many are; `recall`: of machines' acts, how many are
    called so."""

    precision: float
    recall: float


@dataclass(slots=True)
class Figures:
    """What a run says: all rules together, rule by rule, and of each kind of trace the share of a machine's acts that
    was found and of a person's acts that was taken for a machine's. The same of visits by share links: of those
    that were no friend's the share that was found, and of friends' that was taken for none."""

    acts: int = 0
    machines: int = 0
    precision: float = 0.0
    recall: float = 0.0
    rules: dict[str, Judged] = field(default_factory=dict)
    found: dict[str, float] = field(default_factory=dict)
    mistaken: dict[str, float] = field(default_factory=dict)
    visits: int = 0
    visits_precision: float = 0.0
    visits_recall: float = 0.0
    visits_found: dict[str, float] = field(default_factory=dict)
    visits_mistaken: dict[str, float] = field(default_factory=dict)


def run(each: int, seed: int = SEED) -> Figures:
    """Judge so many traces of each kind."""
    by_rule: Counter[tuple[str, bool]] = Counter()
    by_kind: Counter[tuple[str, bool, bool]] = Counter()
    for kind, requests in traces(seed, each):
        acts = [
            Act(one.kind, one.at, max(one.link, 0), "trap" if one.link == HIDDEN else agent_of(one.headers))
            for one in requests
        ]
        for one, rule in zip(requests, verdicts(acts, 0.0), strict=True):
            by_rule[rule, one.machine] += 1
            by_kind[kind, one.machine, bool(rule)] += 1
    machines = sum(count for (_, machine), count in by_rule.items() if machine)
    right = machines - by_rule["", True]
    called = by_rule.total() - by_rule["", True] - by_rule["", False]
    kinds = dict.fromkeys(kind for kind, _, _ in by_kind)
    figures = Figures(
        acts=by_rule.total(),
        machines=machines,
        precision=_share(right, called),
        recall=_share(right, machines),
        rules={
            rule: Judged(
                _share(by_rule[rule, True], by_rule[rule, True] + by_rule[rule, False]),
                _share(by_rule[rule, True], machines),
            )
            for rule in sorted({rule for rule, _ in by_rule if rule})
        },
        found={kind: _of(by_kind, kind, machine=True) for kind in kinds if _any(by_kind, kind, machine=True)},
        mistaken={kind: _of(by_kind, kind, machine=False) for kind in kinds if _any(by_kind, kind, machine=False)},
    )
    _visits(figures, each, seed)
    return figures


def _visits(figures: Figures, each: int, seed: int) -> None:
    """The part of the figures that is about visits."""
    counts: Counter[tuple[str, bool, bool]] = Counter()
    for kind, passed in passed_on(seed, each):
        said = visit_verdicts(passed.visits, passed.acts, 0.0)
        counts.update((kind, not friend, bool(rule)) for friend, rule in zip(passed.friends, said, strict=True))
    kinds = dict.fromkeys(kind for kind, _, _ in counts)
    right = sum(count for (_, no_friend, called), count in counts.items() if no_friend and called)
    figures.visits = counts.total()
    figures.visits_precision = _share(right, sum(count for (_, _, called), count in counts.items() if called))
    figures.visits_recall = _share(right, sum(count for (_, no_friend, _), count in counts.items() if no_friend))
    figures.visits_found = {kind: _of(counts, kind, machine=True) for kind in kinds if _any(counts, kind, machine=True)}
    figures.visits_mistaken = {
        kind: _of(counts, kind, machine=False) for kind in kinds if _any(counts, kind, machine=False)
    }


def _any(counts: Counter[tuple[str, bool, bool]], kind: str, *, machine: bool) -> int:
    return counts[kind, machine, True] + counts[kind, machine, False]


def _of(counts: Counter[tuple[str, bool, bool]], kind: str, *, machine: bool) -> float:
    return _share(counts[kind, machine, True], _any(counts, kind, machine=machine))


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0
