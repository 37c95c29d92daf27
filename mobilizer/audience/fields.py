"""Audience: the fields that an organisation keeps of its members beside the usual ones, and what each may hold.

A field's key is the name under which `Member.attributes` holds its value, always as text. What has no definition is
text, as it ever was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.audience.columns import names_a_field, plain_name
from mobilizer.audience.fitting import MOST_LETTERS, Definition, FieldKind, fitted
from mobilizer.audience.imports import Import
from mobilizer.audience.members import Member
from mobilizer.db import Base, Id, clock
from mobilizer.problems import N_, Problem

LONGEST_KEY = 60
MOST_CHOICES = 50
MOST_FIELDS = 100


class MemberField(Base):
    """One field. `labels` has its name by language tag; where there is none, the key is its name."""

    __tablename__ = "member_fields"
    __table_args__ = (CheckConstraint("kind IN ('text', 'number', 'date', 'choice')", name="kind"),)

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    choices: Mapped[list[Any]] = mapped_column(default=list)
    labels: Mapped[dict[str, Any]] = mapped_column(default=dict)
    retired_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock())


def definitions(session: Session) -> dict[str, Definition]:
    """Every field by its key, in the order of keys."""
    rows = session.scalars(select(MemberField).order_by(MemberField.key))
    return {row.key: _definition(row) for row in rows}


def in_use(defined: Mapping[str, Definition]) -> dict[str, Definition]:
    """Those that are not retired."""
    return {key: one for key, one in defined.items() if not one.retired}


def define(session: Session, wanted: Definition) -> list[Problem]:
    """Add a field, or say what is wrong with it. The values that members have by its key already are its own."""
    wanted = _tidy(wanted)
    others = definitions(session)
    problems = [*_key_problems(wanted.key, others), *_choice_problems(wanted)]
    if len(others) >= MOST_FIELDS:
        message = N_("There are %(most)d fields already: more can't be kept.")
        problems.append(Problem("field.too_many", message, {"most": MOST_FIELDS}, where="key"))
    if not problems:
        session.add(
            MemberField(key=wanted.key, kind=wanted.kind, choices=list(wanted.choices), labels=dict(wanted.labels))
        )
        session.flush()
    return problems


def rename(row: MemberField, labels: Mapping[str, str], choices: Iterable[str]) -> list[Problem]:
    """Change what a field is called and its choices; its key and its kind stay. Values that members have stay too."""
    wanted = _tidy(Definition(row.key, row.kind, tuple(choices), labels))
    problems = _choice_problems(wanted)
    if not problems:
        row.labels, row.choices = dict(wanted.labels), list(wanted.choices)
    return problems


def write_values(
    session: Session, member: Member, typed: Mapping[str, str], defined: Mapping[str, Definition]
) -> dict[str, Problem]:
    """Change what fields hold of a member, by key; an empty text empties one. With problems nothing is changed."""
    kept, problems = dict(member.attributes), dict[str, Problem]()
    for key, text in typed.items():
        fit = fitted(text, defined[key]) if text else ""
        if isinstance(fit, Problem):
            problems[key] = fit
        elif fit:
            kept[key] = fit
        else:
            kept.pop(key, None)
    if not problems:
        session.execute(update(Member).where(Member.id == member.id).values(attributes=kept))
    return problems


def field_by_key(session: Session, key: str) -> MemberField | None:
    """The field of a key."""
    return session.scalar(select(MemberField).where(MemberField.key == key))


def brought_along(session: Session) -> list[str]:
    """The names of what imports have brought along and nobody has defined yet, newest first."""
    known = {plain_name(key) for key in definitions(session)}
    found: dict[str, str] = {}
    for options in session.scalars(select(Import.options).order_by(Import.id.desc())):
        for name in options.get("attributes", {}):
            if plain_name(name) not in known and not _name_problem(name):
                found.setdefault(plain_name(name), name)
    return list(found.values())


def guess_fields(header: Sequence[str], taken: Iterable[int], defined: Mapping[str, Definition]) -> dict[str, int]:
    """Key -> position of the columns, beside those that are `taken`, that are named as a field in use is."""
    free = [at for at in range(len(header)) if at not in set(taken)]
    found: dict[str, int] = {}
    for key, one in in_use(defined).items():
        names = {plain_name(name) for name in (key, *one.labels.values())}
        at = next((at for at in free if plain_name(header[at]) in names), None)
        if at is not None:
            found[key] = at
            free.remove(at)
    return found


def _definition(row: MemberField) -> Definition:
    return Definition(row.key, row.kind, tuple(row.choices), dict(row.labels), row.retired_at is not None)


def _tidy(wanted: Definition) -> Definition:
    """Without blanks round its words, and without what is empty or said twice."""
    labels = {tag: label.strip()[:LONGEST_KEY] for tag, label in wanted.labels.items() if label.strip()}
    choices = tuple(dict.fromkeys(choice.strip() for choice in wanted.choices if choice.strip()))
    return Definition(wanted.key.strip(), wanted.kind, choices, labels)


def _name_problem(key: str) -> Problem | None:
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        message = N_("A field needs a name of 1 to %(most)d letters.")
        return Problem("field.bad_key", message, {"most": LONGEST_KEY}, where="key")
    if names_a_field(key):
        message = N_("“%(key)s” is known of every member already. Choose another name.")
        return Problem("field.usual", message, {"key": key}, where="key")
    return None


def _key_problems(key: str, others: Iterable[str]) -> list[Problem]:
    problem = _name_problem(key)
    if problem is None and plain_name(key) in map(plain_name, others):
        message = N_("There is a field “%(key)s” already; it may be retired.")
        problem = Problem("field.taken", message, {"key": key}, where="key")
    return [problem] if problem else []


def _choice_problems(wanted: Definition) -> list[Problem]:
    if wanted.kind not in tuple(FieldKind):
        return [Problem("field.bad_kind", N_("Choose what the field holds."), where="kind")]
    if wanted.kind != FieldKind.CHOICE:
        return []
    if not 1 <= len(wanted.choices) <= MOST_CHOICES:
        message = N_("Write what may be chosen, one a line, %(most)d at most.")
        return [Problem("field.bad_choices", message, {"most": MOST_CHOICES}, where="choices")]
    if any(len(choice) > MOST_LETTERS or not choice.isprintable() for choice in wanted.choices):
        message = N_("One of the choices is too long (letters: at most %(most)d).")
        return [Problem("field.long_choice", message, {"most": MOST_LETTERS}, where="choices")]
    same = {plain_name(choice) or choice for choice in wanted.choices}
    if len(same) < len(wanted.choices):
        message = N_("Two of the choices differ only in capitals, accents or signs. Files could not tell them apart.")
        return [Problem("field.same_choices", message, where="choices")]
    return []
