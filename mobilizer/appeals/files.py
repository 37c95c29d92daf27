"""Appeals: one YAML file holds an appeal with all its translations; docs/appeal-file.md describes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.editing import appeal_by_slug, check_values, create_appeal, translation_in
from mobilizer.appeals.fields import BY_NAME, FIELDS, MEDIA_FIELDS, tidy
from mobilizer.appeals.history import IMPORTED, Edit
from mobilizer.appeals.media import BadMedia, is_film_link, is_kept_name, keep
from mobilizer.appeals.poster import compose_poster
from mobilizer.appeals.writing import touch, write_words
from mobilizer.appeals.yamltext import BadYaml, Tree, read_tree, write_tree
from mobilizer.languages import UnknownLanguage, canonical
from mobilizer.message.compile import templates_folder
from mobilizer.problems import N_, Problem
from mobilizer.slugs import is_slug

TOP = ("slug", "template", "source_language", "video", "poster", "video_seconds", "video_language", "translations")
MOST_SECONDS = 24 * 3600


class BadAppealFile(ValueError):
    """A file that is not saved; `problems` name each place in it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(", ".join(problem.code for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class AppealFile:
    """What a file says. Media are paths as written, relative to the file."""

    slug: str
    source_language: str
    template: str = "video-appeal"
    video: str = ""
    poster: str = ""
    video_seconds: int = 0
    video_language: str = ""
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_appeal(text: str) -> AppealFile:
    """Read an appeal's file. Raises BadAppealFile with every problem in it, each with its place."""
    try:
        tree = read_tree(text)
    except BadYaml as error:
        raise BadAppealFile([error.problem]) from None
    problems = [_unknown(key, key, TOP) for key in tree if key not in TOP]
    slug, template = _text(tree, "slug", problems), _text(tree, "template", problems) or "video-appeal"
    for place, value in (("slug", slug), ("template", template)):
        if not is_slug(value):
            message = N_("“%(value)s” cannot be used here. Write small letters, digits and hyphens, like “love-wins”.")
            problems.append(Problem("file.no_slug", message, {"value": value[:60]}, where=place))
    if is_slug(template) and not (templates_folder() / template / "body.html").is_file():
        message = N_("There is no e-mail template “%(template)s”. Leave the line out for “video-appeal”.")
        problems.append(Problem("file.no_template", message, {"template": template}, where="template"))
    translations = _translations(tree.get("translations"), problems)
    source = _tag(_text(tree, "source_language", problems), "source_language", problems)
    if source and source not in translations:
        message = N_("There is no translation in the source language “%(tag)s”. Add its words under “translations”.")
        problems.append(Problem("file.no_source", message, {"tag": source}, where="source_language"))
    spoken = _text(tree, "video_language", problems)
    read = AppealFile(
        slug=slug,
        source_language=source,
        template=template,
        video=_text(tree, "video", problems),
        poster=_text(tree, "poster", problems),
        video_seconds=_seconds(_text(tree, "video_seconds", problems), problems),
        video_language=_tag(spoken, "video_language", problems) if spoken else "",
        translations=translations,
    )
    if problems:
        raise BadAppealFile(problems)
    return read


def put_appeal(
    session: Session,
    media_folder: Path,
    file: AppealFile,
    folder: Path | None,
    *,
    replace: bool = False,
    by: int | None = None,
) -> Appeal:
    """Save what a file says: a new appeal, or with `replace` the whole of the one with its slug.

    Media are taken from `folder`, where the file lies (None: an upload without a folder), or from the media folder if
    they are named as an export names them. Raises BadAppealFile; the caller's transaction then holds nothing new.
    """
    kept = _keep_media(media_folder, file, folder)
    appeal = appeal_by_slug(session, file.slug)
    if appeal is not None and not replace:
        message = N_("There is an appeal called “%(slug)s” already. Choose another slug, or ask to replace it.")
        raise BadAppealFile([Problem("file.slug_taken", message, {"slug": file.slug}, where="slug")])
    if appeal is None:
        appeal = create_appeal(session, file.slug, file.source_language)
    if appeal.source_language != file.source_language:  # what they were translated from is another text now
        for translation in appeal.translations:
            translation.outdated_from = {}
    appeal.template, appeal.source_language = file.template, file.source_language
    appeal.video, appeal.poster = kept.get(file.video, ""), kept.get(file.poster, "")
    appeal.video_seconds, appeal.video_language = file.video_seconds, file.video_language
    for gone in [t for t in appeal.translations if t.language not in file.translations]:
        appeal.translations.remove(gone)
    for tag in sorted(file.translations, key=lambda tag: tag != file.source_language):
        words = {name: file.translations[tag].get(name, "") for name in (*BY_NAME, *MEDIA_FIELDS)}
        words |= {name: kept.get(words[name], "") for name in MEDIA_FIELDS}
        write_words(session, appeal, _translation(session, appeal, tag), words, Edit(by, IMPORTED))
    touch(session, appeal)
    return appeal


def _translation(session: Session, appeal: Appeal, tag: str) -> Translation:
    found = translation_in(appeal, tag)
    if found is None:
        found = Translation(language=tag)
        appeal.translations.append(found)
        session.flush()
    return found


def write_appeal(appeal: Appeal, media: str = "", languages: Collection[str] | None = None) -> str:
    """An appeal as its file; `read_appeal` gives back exactly this. `media` goes ahead of the names of media files;
    with `languages` only those, and the source text, are in it."""

    def path(name: str) -> str:
        return name if is_film_link(name) else f"{media}{name}" if name else ""

    wanted = [t for t in appeal.translations if languages is None or t.language in {*languages, appeal.source_language}]
    translations = {}
    for translation in sorted(wanted, key=lambda t: (t.language != appeal.source_language, t.language)):
        words = {found.name: getattr(translation, found.name) for found in FIELDS}
        own = {name: path(getattr(translation, name)) for name in MEDIA_FIELDS if getattr(translation, name)}
        translations[translation.language] = {**words, **own}
    return write_tree(
        {
            "slug": appeal.slug,
            "template": appeal.template,
            "source_language": appeal.source_language,
            "video": path(appeal.video),
            "poster": path(appeal.poster),
            "video_seconds": appeal.video_seconds,
            "video_language": appeal.video_language,
            "translations": translations,
        }
    )


def media_of(appeal: Appeal) -> set[str]:
    """The names of all media files that an appeal uses."""
    names = {appeal.video, appeal.poster}
    for translation in appeal.translations:
        names |= {getattr(translation, name) for name in MEDIA_FIELDS}
    return {name for name in names if is_kept_name(name)}


def _text(tree: Tree, key: str, problems: list[Problem], place: str = "") -> str:
    value = tree.get(key, "")
    if isinstance(value, str):
        return value.strip() if not place else value
    message = N_("“%(place)s” has fields inside where a text belongs. Look at how far the lines are indented.")
    where = place or key
    problems.append(Problem("file.no_text", message, {"place": where}, where=where))
    return ""


def _translations(tree: Tree | str | None, problems: list[Problem]) -> dict[str, dict[str, str]]:
    if not isinstance(tree, dict) or not tree:
        message = N_("There are no translations. Under “translations”, give each language's code and its fields.")
        problems.append(Problem("file.no_translations", message, where="translations"))
        return {}
    found: dict[str, dict[str, str]] = {}
    for said, words in tree.items():
        place = f"translations.{said}"
        tag = _tag(said, place, problems)
        if not isinstance(words, dict):
            message = N_("“%(place)s” has no fields. Write subject, body and the others below it, indented.")
            problems.append(Problem("file.no_fields", message, {"place": place}, where=place))
        elif tag in found:
            message = N_("“%(place)s” is a language that the file has already. Keep one of the two.")
            problems.append(Problem("file.language_twice", message, {"place": place}, where=place))
        elif tag:
            found[tag] = _words(words, place, problems)
    return found


def _words(tree: Tree, place: str, problems: list[Problem]) -> dict[str, str]:
    allowed = (*BY_NAME, *MEDIA_FIELDS)
    problems += [_unknown(key, f"{place}.{key}", allowed) for key in tree if key not in allowed]
    raw = {name: _text(tree, name, problems, f"{place}.{name}") for name in tree if name in allowed}
    words = {name: tidy(BY_NAME[name], value) if name in BY_NAME else value.strip() for name, value in raw.items()}
    for problem in check_values(words):
        where = f"{place}.{problem.where}"
        problems.append(Problem(problem.code, problem.message, problem.params, problem.severity, where))
    return words


def _tag(said: str, place: str, problems: list[Problem]) -> str:
    try:
        return canonical(said)
    except UnknownLanguage:
        message = N_("“%(tag)s” is not a language code. Give one like “es” or “pt-BR”.")
        problems.append(Problem("file.unknown_language", message, {"tag": said[:40]}, where=place))
        return ""


def _seconds(said: str, problems: list[Problem]) -> int:
    if not said:
        return 0
    if said.isascii() and said.isdigit() and len(said) < 6 and int(said) <= MOST_SECONDS:
        return int(said)
    message = N_("“%(value)s” is not a length in seconds. Write a whole number, like 120 for two minutes.")
    problems.append(Problem("file.no_seconds", message, {"value": said[:40]}, where="video_seconds"))
    return 0


def _unknown(key: str, place: str, allowed: tuple[str, ...]) -> Problem:
    message = N_("There is no field called “%(field)s”. The fields are: %(fields)s.")
    return Problem("file.unknown_field", message, {"field": key[:60], "fields": ", ".join(allowed)}, where=place)


def _keep_media(media_folder: Path, file: AppealFile, folder: Path | None) -> dict[str, str]:
    """Path as written -> name in the media folder, for each media file that is named."""
    places = {"video": file.video, "poster": file.poster}
    for tag, words in file.translations.items():
        places |= {f"translations.{tag}.{name}": words.get(name, "") for name in MEDIA_FIELDS}
    kept, problems = dict[str, str](), list[Problem]()
    for place, path in places.items():
        if path and path not in kept:
            if place.endswith("video") and is_film_link(path):
                kept[path] = path
                continue
            try:
                kept[path] = _keep_one(media_folder, path, folder)
                if place.endswith("poster"):
                    compose_poster(media_folder, kept[path])  # now, while somebody is there to mend it
            except BadMedia as error:
                found = error.problem
                problems.append(Problem(found.code, found.message, found.params, found.severity, where=place))
    if problems:
        raise BadAppealFile(problems)
    return kept


def _keep_one(media_folder: Path, path: str, folder: Path | None) -> str:
    pure = PurePosixPath(path)
    # A file from elsewhere must not read what lies outside its own folder.
    if folder is not None and not pure.is_absolute() and (folder / pure).resolve().is_relative_to(folder.resolve()):
        found = folder / pure
        if found.is_file():
            return keep(media_folder, found.read_bytes(), pure.suffix)
    if is_kept_name(pure.name) and (media_folder / pure.name).is_file():
        return pure.name
    message = N_("There is no file “%(path)s” beside the appeal's file. Put it there, or correct the path.")
    raise BadMedia(Problem("file.no_media", message, {"path": path[:200]}))
