"""Appeals: making an appeal and writing its translations. Whatever has an error is not saved, not even in part."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.fields import BY_NAME, FIELDS, MEDIA_FIELDS, Field, tidy
from mobilizer.db import clock
from mobilizer.languages import UnknownLanguage, canonical, language
from mobilizer.message.tags import bad_tags, tag_problems, tags_in
from mobilizer.problems import N_, Problem
from mobilizer.slugs import free_slug, is_slug
from mobilizer.slugs import slug as to_slug


def appeal_by_slug(session: Session, slug: str) -> Appeal | None:
    """The appeal of a slug, its translations at hand."""
    return session.scalar(select(Appeal).where(Appeal.slug == slug))


def appeals(session: Session) -> list[Appeal]:
    """Every appeal, newest first."""
    return list(session.scalars(select(Appeal).order_by(Appeal.id.desc())))


def slug_for(session: Session, title: str) -> str:
    """A free slug made of a title."""
    return free_slug(to_slug(title, "appeal"), lambda candidate: appeal_by_slug(session, candidate) is not None)


def create_appeal(
    session: Session, slug: str, source_language: str = "en", *, template: str = "video-appeal"
) -> Appeal:
    """A new appeal with an empty source text. `slug` must be a free slug (see `slug_for`).

    Raises UnknownLanguage, and ValueError for what is not a slug.
    """
    if not is_slug(slug):
        raise ValueError(f"{slug!r} is not a slug")
    tag = canonical(source_language)
    appeal = Appeal(slug=slug, source_language=tag, template=template, translations=[Translation(language=tag)])
    session.add(appeal)
    session.flush()
    return appeal


def translation_in(appeal: Appeal, tag: str) -> Translation | None:
    """An appeal's translation in exactly this language."""
    return next((t for t in appeal.translations if t.language == tag), None)


def add_language(session: Session, appeal: Appeal, tag: str) -> list[Problem]:
    """Open an empty translation in a language; nothing happens if there is one."""
    try:
        known = canonical(tag)
    except UnknownLanguage:
        message = N_("“%(tag)s” is not a language code. Give one like “es” or “pt-BR”.")
        return [Problem("appeal.unknown_language", message, {"tag": tag[:40]}, where="language")]
    if translation_in(appeal, known) is None:
        appeal.translations.append(Translation(language=known))
        touch(session, appeal)
    return []


def remove_language(session: Session, appeal: Appeal, tag: str) -> list[Problem]:
    """Take a translation out of an appeal; the source text stays."""
    if tag == appeal.source_language:
        message = N_("%(language)s is what the others are translated from. It cannot be taken out.")
        return [Problem("appeal.source_stays", message, {"language": language(tag).own_name}, where="language")]
    found = translation_in(appeal, tag)
    if found is not None:
        appeal.translations.remove(found)
        touch(session, appeal)
    return []


def save_translation(
    session: Session, appeal: Appeal, tag: str, values: Mapping[str, str], *, seen: str | None = None
) -> list[Problem]:
    """Write fields of a translation (those of FIELDS and MEDIA_FIELDS; the others stay) and raise the revision.

    Returns problems, and then saves nothing: an unknown merge tag, a text too long, a language that is not there, or
    `seen` (the `fingerprint` when the form was drawn) that no longer fits: somebody else has saved since.
    """
    found = translation_in(appeal, tag)
    if found is None:
        message = N_("This appeal has no translation into “%(tag)s” yet. Add the language first.")
        return [Problem("appeal.no_such_translation", message, {"tag": tag[:40]}, where="language")]
    if seen is not None and seen != fingerprint(found):
        message = N_("Somebody else has changed this text since you opened it. Copy your words, reload, and try again.")
        return [Problem("appeal.changed_meanwhile", message, where="language")]
    tidied = {name: tidy(BY_NAME[name], value) if name in BY_NAME else value for name, value in values.items()}
    problems = check_values(tidied)
    if not problems:
        _write(session, appeal, found, tidied)
    return problems


def check_values(values: Mapping[str, str]) -> list[Problem]:
    """What is wrong with words as they stand: `where` is the field. Raises KeyError for a field that is none."""
    problems = []
    for name, value in values.items():
        if name not in MEDIA_FIELDS:
            problems += _field_problems(BY_NAME[name], value)
    return problems


def fingerprint(translation: Translation) -> str:
    """A short text that changes whenever the translation does: shows whether a form is stale."""
    names = [*(field.name for field in FIELDS), *MEDIA_FIELDS]
    words = "\0".join(getattr(translation, name) for name in names)
    return hashlib.blake2b(words.encode(), digest_size=8).hexdigest()


def touch(session: Session, appeal: Appeal) -> None:
    """Raise an appeal's revision: what was compiled from the older one is out of date."""
    session.flush()
    session.execute(
        update(Appeal).where(Appeal.id == appeal.id).values(revision=Appeal.revision + 1, changed_at=clock())
    )
    session.refresh(appeal, ["revision", "changed_at"])


def _write(session: Session, appeal: Appeal, translation: Translation, values: Mapping[str, str]) -> None:
    changes = {name: value for name, value in values.items() if getattr(translation, name) != value}
    for name, value in changes.items():
        setattr(translation, name, value)
    if changes:
        translation.changed_at = clock()
        touch(session, appeal)


def _field_problems(field: Field, value: str) -> list[Problem]:
    if len(value) > field.max_length:
        message = N_("The text is too long here (letters: %(length)d, at most: %(most)d). Make it shorter.")
        params = {"length": len(value), "most": field.max_length}
        return [Problem("appeal.too_long", message, params, where=field.name)]
    if field.merge_tags:
        return tag_problems(value, field.name)
    if tags_in(value) or bad_tags(value):
        message = N_("No merge tags here: these words are the same for everyone who reads them. Take the braces out.")
        return [Problem("appeal.tag_misplaced", message, where=field.name)]
    return []
