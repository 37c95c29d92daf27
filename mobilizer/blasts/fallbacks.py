"""Blasts: the languages that an organisation works in, and what each of them falls back to; frozen with each blast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.blasts.blasts import UNFROZEN, Blast
from mobilizer.db import Base
from mobilizer.languages import UnknownLanguage, canonical
from mobilizer.problems import N_, Problem

MOST_LANGUAGES = 200


class WorkingLanguage(Base):
    """A language that the organisation works in. Where `falls_back_to` is empty, CLDR says what comes next."""

    __tablename__ = "working_languages"

    tag: Mapped[str] = mapped_column(primary_key=True)
    falls_back_to: Mapped[str] = mapped_column(default="")
    is_default: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True, slots=True)
class Working:
    """What an organisation says of its languages: tag -> what it falls back to, perhaps empty; and its default."""

    languages: Mapping[str, str]
    default: str = ""

    @property
    def fallbacks(self) -> dict[str, str]:
        """Only what is said: languages.choose takes it."""
        return {tag: to for tag, to in self.languages.items() if to}


def working(session: Session) -> Working:
    """The organisation's languages, by tag. Nothing until somebody says something."""
    rows = session.scalars(select(WorkingLanguage).order_by(WorkingLanguage.tag)).all()
    return Working({row.tag: row.falls_back_to for row in rows}, next((row.tag for row in rows if row.is_default), ""))


def keep_working(session: Session, wanted: Working) -> list[Problem]:
    """Replace what is said of the languages, or say why it can't be so; then nothing is changed.

    The blasts that wait for their launch get a new revision: who saw the old languages can't launch them.
    """
    try:
        languages = {canonical(tag): canonical(to) if to else "" for tag, to in wanted.languages.items()}
        default = canonical(wanted.default) if wanted.default else ""
    except UnknownLanguage:
        message = N_("One of these is no language code. Write codes like “es” or “pt-BR”.")
        return [Problem("languages.unknown", message)]
    problems = [*_loops(languages), *_too_many(languages)]
    if problems:
        return problems
    if default:
        languages.setdefault(default, "")
    session.execute(delete(WorkingLanguage))
    session.add_all(
        WorkingLanguage(tag=tag, falls_back_to=to, is_default=tag == default) for tag, to in languages.items()
    )
    waiting = Blast.state.in_(UNFROZEN)
    session.execute(update(Blast).where(waiting).values(revision=Blast.revision + 1))
    session.flush()
    return []


def fallbacks_of(session: Session, blast: Blast) -> dict[str, str]:
    """What languages fall back to in a blast: as it is now, and from its launch or its schedule on as it was then."""
    return working(session).fallbacks if blast.state in UNFROZEN else dict(blast.fallbacks)


def _too_many(languages: Mapping[str, str]) -> Iterator[Problem]:
    if len(languages) > MOST_LANGUAGES:
        message = N_("These are too many languages: at most %(most)d.")
        yield Problem("languages.too_many", message, {"most": MOST_LANGUAGES})


def _loops(languages: Mapping[str, str]) -> list[Problem]:
    """Each language that comes back to itself, with the way round."""
    problems = []
    for tag in languages:
        way = _way(tag, languages)
        # Said once for each loop: at the first of its languages.
        if way and tag == min(way):
            message = N_(
                "These languages fall back to each other in a circle: %(way)s. One of them has to lead out of it."
            )
            problems.append(Problem("languages.loop", message, {"way": " → ".join([*way, tag])}, where=tag))
    return problems


def _way(start: str, languages: Mapping[str, str]) -> Sequence[str]:
    """The languages from one round to itself, if its fallbacks lead there."""
    way, at = [start], languages[start]
    while at and at not in way:
        way.append(at)
        at = languages.get(at, "")
    return way if at == start else []
