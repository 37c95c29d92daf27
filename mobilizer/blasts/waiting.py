"""Blasts: late languages. Whoever speaks one may wait until it is approved, in place of falling back to another."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.completeness import complete_languages
from mobilizer.appeals.parity import parity
from mobilizer.appeals.states import State, states
from mobilizer.appeals.variants import FIRST
from mobilizer.blasts.blasts import Blast, Rendition
from mobilizer.languages import CaughtBy, Choice, choose

# A language that is somebody's own. Nobody waits for one that they would only fall back to.
WAITS = "waits"  # in place of a step of the fallback chain
THEIRS = (CaughtBy.EXACT, CaughtBy.PARENT, CaughtBy.SECOND)


class Languages(NamedTuple):
    """What decides which language a member is given: those that are sent, those that people wait for, the blast's
    chain with its end, and what languages fall back to."""

    offered: Collection[str]
    waits: Collection[str]
    chain: Collection[str]
    default: str
    fallbacks: Mapping[str, str]


def frozen_languages(session: Session, blast: Blast, late: Collection[str]) -> Languages:
    """The same for a blast whose words are frozen; `late` are the languages that people wait for, also where one of
    them has come since."""
    first = (Rendition.blast_id == blast.id, Rendition.variant == FIRST)
    sent = [tag for tag in session.scalars(select(Rendition.language).where(*first)) if tag not in late]
    return Languages(sent, late, blast.chain, blast.default_language, blast.fallbacks)


class Given(NamedTuple):
    """What a member is given; with `otherwise`, they wait for it, and that is what they fall back to."""

    choice: Choice
    otherwise: Choice | None = None


def given(languages: Languages, first: str, second: str | None) -> Given:
    """What a member is given, by their languages."""
    offered, waits, chain, default, fallbacks = languages
    falls_back = choose(first, second, offered, chain, default, fallbacks)
    missing = [tag for tag in waits if tag not in offered]
    if not missing:
        return Given(falls_back)
    wanted = choose(first, second, [*offered, *missing], chain, default, fallbacks)
    if wanted.language in missing and wanted.caught_by in THEIRS:
        return Given(wanted, falls_back)
    return Given(falls_back)


def approved(appeal: Appeal, tag: str) -> bool:
    """Whether a late language may go: somebody has approved its words as they are, and nothing of them differs from the
    source so much that no blast may launch."""
    place = f"translations.{tag}."
    differs = any(found.severity == "error" and found.where.startswith(place) for found in parity(appeal))
    return states(appeal).get(tag) == State.REVIEWED and not differs


def sent_languages(blast: Blast) -> tuple[str, ...]:
    """The languages that a blast is sent in as things are now: all complete ones but those it waits for."""
    complete = complete_languages(blast.appeal)
    return tuple(tag for tag in complete if tag not in blast.waits or approved(blast.appeal, tag))
