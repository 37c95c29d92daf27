"""Appeals: the one place that changes words, and what a change means for history and for the other languages."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import update
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.fields import BY_NAME
from mobilizer.appeals.history import Edit, remember
from mobilizer.appeals.states import is_approved
from mobilizer.db import clock

NOBODYS = Edit()


def write_words(
    session: Session,
    appeal: Appeal,
    translation: Translation,
    values: Mapping[str, str],
    edit: Edit = NOBODYS,
    *,
    unseen: Collection[str] = (),
    fits: Collection[str] = (),
) -> None:
    """Write tidied, checked words of BY_NAME and MEDIA_FIELDS; the fields that are not among `values` stay.

    A change of the source text puts every translation of that field out of date, until it is written anew or said to
    be among those that still fit (`fits`). Fields of `unseen` stay out of date: their writer had not seen the change.
    """
    session.flush()
    changes = {name: value for name, value in values.items() if getattr(translation, name) != value}
    settled = (changes.keys() | set(fits)) & (translation.outdated_from or {}).keys() - set(unseen)
    keep = is_approved(appeal, translation)
    for name in (name for name in BY_NAME if name in changes):
        remember(session, translation, name, changes[name], edit, keep=keep)
    if translation.language == appeal.source_language:
        _leave_behind(appeal, translation, changes)
    for name, value in changes.items():
        setattr(translation, name, value)
    if settled:
        translation.outdated_from = {n: was for n, was in translation.outdated_from.items() if n not in settled}
    if changes or settled:
        translation.changed_at = clock()
        touch(session, appeal)


def touch(session: Session, appeal: Appeal) -> None:
    """Raise an appeal's revision: what was compiled from the older one is out of date."""
    session.flush()
    session.execute(
        update(Appeal).where(Appeal.id == appeal.id).values(revision=Appeal.revision + 1, changed_at=clock())
    )
    session.refresh(appeal, ["revision", "changed_at"])


def _leave_behind(appeal: Appeal, source: Translation, changes: Mapping[str, str]) -> None:
    """Remember with each translation what its source said; forget it where the source says that again."""
    for other in appeal.translations:
        if other is source:
            continue
        was = dict(other.outdated_from or {})
        for name in changes.keys() & BY_NAME.keys():
            if was.setdefault(name, getattr(source, name)) == changes[name]:
                del was[name]
        other.outdated_from = was
