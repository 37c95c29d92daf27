"""Web: rates. What people did, out of those who have the mail, each with the range in which the true share lies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal

from babel import numbers
from flask import url_for

from mobilizer.engagement.ranges import Range, range_of
from mobilizer.engagement.results import LanguageResults
from mobilizer.engagement.tree import factor
from mobilizer.problems import N_
from mobilizer.tracking import Tracking
from mobilizer.web.policy import permitted
from mobilizer.web.screens import results as blueprint
from mobilizer.web.words import _, locale, percent

GOT = {"rule": "got_blast"}

# What people did, in the order in which they do it: field of the results, name, tone, the rule of who did it.
FUNNEL: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("accepted", N_("Mail accepted"), "accepted", GOT),
    ("clickers", N_("Clicked"), "acted", {"rule": "did_in_blast", "act": "click"}),
    ("watchers", N_("Watched"), "acted", {"rule": "did_in_blast", "act": "watch"}),
    ("shares", N_("Shared"), "acted", {"rule": "did_in_blast", "act": "share"}),
    ("joins", N_("Friends joined"), "acted", {"rule": "recruited_in_blast"}),
    ("unsubscribes", N_("Unsubscribed"), "left", {}),
    ("complaints", N_("Called spam"), "left", {}),
)
OPENED = ("openers", N_("Opened, as far as we can tell"), "acted", {"rule": "did_in_blast", "act": "open"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the funnel: people, out of those whose mail was accepted, and the range of that share.

    `href` is where a segment is made of them; empty for who may not, and for who can't be told by a rule. `counted` is
    false where the tracking mode of the blast leaves nothing to count.
    """

    field: str
    name: str
    tone: str
    people: int
    whole: int
    range: Range | None
    href: str = ""
    counted: bool = True


def funnel(one: LanguageResults, blast_id: int = 0) -> list[Step]:
    """The steps of a language, or of all ("" is all); with the ways to their segments where a blast is given."""
    return [_step(one, blast_id, *each) for each in FUNNEL]


def opened(one: LanguageResults, blast_id: int) -> Step:
    """Who opened: a hint, and no step of the funnel."""
    return _step(one, blast_id, *OPENED)


def ranged(people: int, whole: int) -> Range | None:
    """The range of a share; None where there is no share, as of nobody."""
    return range_of(people, whole) if people <= whole else None


def joined_range(joined: int, members: int) -> Range | None:
    """The range of new members per member; friends who join are no part of those who have the mail."""
    found = factor(joined, members)
    return Range(found.low, found.high) if found else None


def range_text(found: Range | None) -> str:
    """A range as a page tells it: "9% – 15%"; nothing where there is none."""
    return f"{percent(found.low)} – {percent(found.high)}" if found else ""


def k_text(value: float | None) -> str:
    """K as a page tells it, to two digits and no finer than a ten-thousandth: "0.12"; a dash where there is none."""
    if value is None:
        return "–"
    told = round(Decimal(f"{value:.2g}"), 4) if value < 100 else Decimal(round(value))
    return str(numbers.format_decimal(told.normalize(), locale=locale(), decimal_quantization=False))


def k_range(found: Range | None) -> str:
    """The range of K: "0.095 – 0.15"; nothing where there is none."""
    return f"{k_text(found.low)} – {k_text(found.high)}" if found else ""


blueprint.add_app_template_filter(range_text, "range")
blueprint.add_app_template_filter(k_text, "k")
blueprint.add_app_template_filter(k_range, "k_range")


def segment_url(*rules: object) -> str:
    """Where the builder waits with these rules in it; nowhere for who may not make segments."""
    return url_for("segments.new", rules=json.dumps(rules, separators=(",", ":"))) if permitted("segments.edit") else ""


def _rules(rule: dict[str, str], blast_id: int, language: str) -> list[dict[str, object]]:
    """Who took a step: of a language, those who had the mail in it."""
    step: dict[str, object] = {**rule, "blast": blast_id}
    if not language:
        return [step]
    had: dict[str, object] = {"rule": "got_in_language", "blast": blast_id, "language": language}
    return [had] if rule == GOT else [had, step]


def _step(one: LanguageResults, blast_id: int, field: str, name: str, tone: str, rule: dict[str, str]) -> Step:
    if one.tracking is not Tracking.PSEUDONYMOUS and rule and field != "accepted":
        return _uncounted(one, field, name, tone)
    people = getattr(one, field)
    reach = joined_range(people, one.accepted) if field == "joins" else ranged(people, one.accepted)
    href = segment_url(*_rules(rule, blast_id, one.language)) if blast_id and rule and people else ""
    # Who got it is the whole itself.
    return Step(field, _(name), tone, people, one.accepted, reach if field != "accepted" else None, href)


def _uncounted(one: LanguageResults, field: str, name: str, tone: str) -> Step:
    """A step of which nobody knows who took it; of opens and clicks perhaps how often."""
    acts = {"clickers": (one.clicks, N_("Clicks, not people")), "openers": (one.opens, N_("Opens, not people"))}
    if one.tracking is Tracking.SUMS and field in acts:
        count, said = acts[field]
        return Step(field, _(said), tone, count, 0, None)
    return Step(field, _(name), tone, 0, 0, None, counted=False)
