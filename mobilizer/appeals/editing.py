"""Appeals: making an appeal and writing its translations. Whatever has an error is not saved, not even in part."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.fields import BY_NAME, FIELDS, MEDIA_FIELDS, Field, tidy
from mobilizer.appeals.history import Edit, hash_of
from mobilizer.appeals.writing import NOBODYS, touch, write_words
from mobilizer.languages import UnknownLanguage, canonical, language
from mobilizer.message.tags import bad_tags, tag_problems, tags_in
from mobilizer.problems import N_, Problem
from mobilizer.slugs import free_slug, is_slug
from mobilizer.slugs import slug as to_slug

CHANGED = "appeal.changed_meanwhile"
CHANGED_MEANWHILE = N_("Somebody else has changed this field since you opened it.")


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
    session: Session,
    appeal: Appeal,
    tag: str,
    values: Mapping[str, str],
    *,
    seen: str | None = None,
    edit: Edit = NOBODYS,
    fits: Collection[str] = (),
) -> list[Problem]:
    """Write fields of a translation (those of FIELDS and MEDIA_FIELDS; the others stay) and raise the revision.

    `seen` is what the form was drawn from (`drawn_from`): then only what its writer has changed is written. `fits` are
    fields that are out of date and said to be right as they are.

    Returns problems, and then saves nothing: an unknown merge tag, a text too long, a language that is not there, or
    fields that somebody else has changed since the form was drawn.
    """
    found = translation_in(appeal, tag)
    if found is None:
        message = N_("This appeal has no translation into “%(tag)s” yet. Add the language first.")
        return [Problem("appeal.no_such_translation", message, {"tag": tag[:40]}, where="language")]
    tidied = {name: tidy(BY_NAME[name], value) if name in BY_NAME else value for name, value in values.items()}
    crossed: list[str] = []
    if seen is not None:
        tidied, crossed = mine(found, tidied, seen)
    problems = [Problem(CHANGED, CHANGED_MEANWHILE, where=name) for name in crossed] or check_values(tidied)
    if not problems:
        unseen = _unseen(appeal, seen) if seen is not None else ()
        write_words(session, appeal, found, tidied, edit, unseen=unseen, fits=fits)
    return problems


def check_values(values: Mapping[str, str]) -> list[Problem]:
    """What is wrong with words as they stand: `where` is the field. Raises KeyError for a field that is none."""
    problems = []
    for name, value in values.items():
        if name not in MEDIA_FIELDS:
            problems += _field_problems(BY_NAME[name], value)
    return problems


def drawn_from(appeal: Appeal, translation: Translation) -> str:
    """What a form carries along: of each field, which words it shows, and which source words stand beside them."""
    source = translation_in(appeal, appeal.source_language) or translation
    return " ".join(
        hash_of(getattr(translation, field.name)) + hash_of(getattr(source, field.name)) for field in FIELDS
    )


def still_drawn(translation: Translation, values: Mapping[str, str], seen: str) -> tuple[str, list[str]]:
    """What a form carries along that stays open after its `values` were saved: the words in its boxes that are the
    saved ones now, else what it had seen; and the fields whose box shows older words than somebody else has saved."""
    drawn, stale, pairs = _Drawn.read(seen), [], []
    for field in FIELDS:
        kept, own = getattr(translation, field.name), drawn.own.get(field.name, "")
        if field.name in values and tidy(field, values[field.name]) == kept:
            own = hash_of(kept)
        elif own != hash_of(kept):
            stale.append(field.name)
        pairs.append(own + drawn.source.get(field.name, ""))
    return " ".join(pairs), stale


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What `drawn_from` said when a form was drawn: by field, the hash of its words and of its source words."""

    own: Mapping[str, str]
    source: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> _Drawn:
        """What a form brought back; a field that it says nothing of was never seen."""
        pairs = dict(zip((field.name for field in FIELDS), text.split(), strict=False))
        half = len(hash_of())
        return cls({name: pair[:half] for name, pair in pairs.items()}, {n: pair[half:] for n, pair in pairs.items()})


def mine(translation: Translation, values: Mapping[str, str], seen: str) -> tuple[dict[str, str], list[str]]:
    """Of the words that a form brought back, those that its writer changed; and the fields among them that somebody
    else has changed too since it was drawn, to something else. Raises KeyError for a field that is none."""
    drawn = _Drawn.read(seen)
    changed = {name: value for name, value in values.items() if hash_of(value) != drawn.own.get(name)}
    crossed = [
        name
        for name, value in changed.items()
        if getattr(translation, name) != value and hash_of(getattr(translation, name)) != drawn.own.get(name)
    ]
    return changed, crossed


def _unseen(appeal: Appeal, seen: str) -> set[str]:
    """The fields whose source text has changed since a form was drawn."""
    source = translation_in(appeal, appeal.source_language)
    known = _Drawn.read(seen).source
    return {f.name for f in FIELDS if source and known.get(f.name) != hash_of(getattr(source, f.name))}


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
