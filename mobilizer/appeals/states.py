"""Appeals: where each language stands, from empty to reviewed. Approval holds for exactly the words that were read."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.completeness import of_translation
from mobilizer.appeals.fields import FIELDS, MEDIA_FIELDS
from mobilizer.appeals.history import hash_of
from mobilizer.db import clock
from mobilizer.languages import language
from mobilizer.problems import N_, Problem


class State(StrEnum):
    """A language of an appeal; only DONE and REVIEWED are as the source text is now."""

    EMPTY = "empty"
    DRAFT = "draft"
    OUT_OF_DATE = "out_of_date"
    DONE = "done"
    REVIEWED = "reviewed"


def state_of(appeal: Appeal, translation: Translation) -> State:
    """Where a translation stands."""
    if not any(getattr(translation, field.name) for field in FIELDS):
        return State.EMPTY
    if not of_translation(translation).complete:
        return State.DRAFT
    if outdated(translation):
        return State.OUT_OF_DATE
    return State.REVIEWED if is_approved(appeal, translation) else State.DONE


def states(appeal: Appeal) -> dict[str, State]:
    """Where each language of an appeal stands."""
    return {translation.language: state_of(appeal, translation) for translation in appeal.translations}


def outdated(translation: Translation) -> dict[str, str]:
    """The fields whose source text has changed since they were translated: what it said then. By the order of FIELDS;
    an empty field has nothing that could be out of date."""
    was = translation.outdated_from or {}
    return {
        field.name: str(was[field.name]) for field in FIELDS if field.name in was and getattr(translation, field.name)
    }


def fingerprint(translation: Translation) -> str:
    """A short text that changes whenever the translation does.

    Fields that may stay empty count where they say something: what was approved before there were such fields stays
    approved.
    """
    always = (*(field.name for field in FIELDS if field.required), *MEDIA_FIELDS)
    said = (f"{f.name}={words}" for f in FIELDS if not f.required and (words := getattr(translation, f.name)))
    return hash_of(*(getattr(translation, name) for name in always), *said)


def content_hash(appeal: Appeal, translation: Translation) -> str:
    """What an approval is bound to: the words of the source and of the translation."""
    source = next((t for t in appeal.translations if t.language == appeal.source_language), translation)
    return hash_of(fingerprint(source), fingerprint(translation))


def is_approved(appeal: Appeal, translation: Translation) -> bool:
    """Whether somebody has approved exactly these words for exactly this source text."""
    return bool(translation.approved_hash) and translation.approved_hash == content_hash(appeal, translation)


def approve(session: Session, appeal: Appeal, translation: Translation, by: int | None, read: str) -> list[Problem]:
    """Say that a complete translation says what the source text says. `read` is the `content_hash` that was read."""
    if read != content_hash(appeal, translation):
        message = N_("The words have changed since you opened them. Read them again, then approve.")
        return [Problem("appeal.read_other_words", message)]
    if not of_translation(translation).complete:
        message = N_("%(language)s is not complete yet. Only a complete text can be approved.")
        return [Problem("appeal.incomplete", message, {"language": language(translation.language).own_name})]
    translation.outdated_from = {}
    translation.approved_hash, translation.approved_by_id, translation.approved_at = read, by, clock()
    session.flush()
    return []


def withdraw(session: Session, translation: Translation) -> None:
    """Take an approval back."""
    translation.approved_hash, translation.approved_by_id, translation.approved_at = "", None, None
    session.flush()
