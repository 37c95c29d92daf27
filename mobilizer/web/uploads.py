"""Web: the film, the poster and the captions of an appeal, or of one of its languages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from mobilizer.appeals.appeals import Appeal, Translation, sound_of
from mobilizer.appeals.fields import MEDIA_FIELDS
from mobilizer.appeals.files import MOST_SECONDS
from mobilizer.appeals.media import MAX_BYTES, BadMedia, check, is_film_link, keep, keep_stream
from mobilizer.appeals.poster import reencoded
from mobilizer.appeals.writing import touch
from mobilizer.http import installation
from mobilizer.languages import MEMBER_LANGUAGES, language
from mobilizer.organizers.audit import record
from mobilizer.problems import N_, Problem
from mobilizer.web.appeal_head import writable
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import appeals as blueprint
from mobilizer.web.typed_number import typed_number
from mobilizer.web.words import _, problem

SUFFIXES = {"poster": ".jpg,.jpeg,.png,.webp", "video": ".mp4,.webm", "captions": ".vtt"}
LABELS = {"poster": N_("Poster"), "video": N_("Film"), "captions": N_("Captions")}
HINTS = {
    "poster": N_("A still of the film: JPEG, PNG or WebP, best 1200 by 675 pixels. The play mark is added for you."),
    "video": N_("MP4 or WebM, as small as it still looks good."),
    "captions": N_("WebVTT, for those who cannot hear and those who watch without sound."),
}
NONE_YET = {
    "poster": N_("No poster yet."),
    "video": N_("No film yet."),
    "captions": N_("No captions yet."),
}


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One kind of file, and the one that is there; `link` is a film on a host's page.

    `inherited` says that it is the appeal's, used here too.
    """

    kind: str
    label: str
    hint: str
    none_yet: str
    accept: str
    url: str
    link: str
    inherited: bool


def media_files(appeal: Appeal, translation: Translation) -> list[MediaFile]:
    """The files that a page of words offers to change."""
    is_source = translation.language == appeal.source_language
    files = []
    for kind in SUFFIXES:
        of_all = getattr(appeal, kind, "")
        own = of_all if is_source and kind != "captions" else getattr(translation, kind)
        name = own or of_all
        files.append(
            MediaFile(
                kind=kind,
                label=_(LABELS[kind]),
                hint=_(HINTS[kind]),
                none_yet=_(NONE_YET[kind]),
                accept=SUFFIXES[kind],
                url="" if not name or is_film_link(name) else f"/media/{name}",
                link=name if is_film_link(name) else "",
                inherited=bool(name) and not own,
            )
        )
    return files


def spoken_languages(appeal: Appeal) -> list[tuple[str, str]]:
    """(tag, own name) of the languages that the appeal's film may be spoken in."""
    tags = {*MEMBER_LANGUAGES, appeal.source_language, sound_of(appeal)}
    return sorted(((tag, language(tag).own_name) for tag in tags), key=lambda one: one[1].casefold())


@blueprint.post("/appeals/<slug>/media/<tag>")
@allowed("appeals.translate")
def upload(slug: str, tag: str) -> ResponseReturnValue:
    """Keep the files that were chosen; one that can't be used changes nothing and is named."""
    sent = {kind: file for kind in MEDIA_FIELDS if (file := request.files.get(kind)) and file.filename}
    here = installation()
    with here.database.read() as session:
        writable(session, slug, tag)  # before anything is kept
    try:
        names = {kind: kept(kind, file) for kind, file in sent.items()} | _linked()
    except BadMedia as error:
        tell(error)
        return redirect(_back(slug, tag), 303)
    with here.database.write() as session:
        appeal, translation = writable(session, slug, tag)
        put(appeal, translation, names)
        described = tag == appeal.source_language and _describe(appeal)
        if names or described:
            touch(session, appeal)
            record(session, me().id, "appeal.media", f"appeal:{appeal.id}", language=tag, kinds=sorted(names))
    flash(_("The files are in place.") if names or described else _("No file was chosen."), "good")
    return redirect(_back(slug, tag), 303)


def _describe(appeal: Appeal) -> bool:
    """Take the film's length and language from the form; whether either was said."""
    seconds = typed_number(request.form.get("video_seconds", ""))
    if seconds is not None and seconds <= MOST_SECONDS:
        appeal.video_seconds = seconds
    spoken = request.form.get("video_language", "")
    known = spoken in dict(spoken_languages(appeal))
    if known:
        appeal.video_language = "" if spoken == appeal.source_language else spoken
    return known or seconds is not None


def put(appeal: Appeal, translation: Translation, names: dict[str, str]) -> None:
    """The source's poster and film are the whole appeal's; a translation's are its own."""
    is_source = translation.language == appeal.source_language
    for kind, name in names.items():
        setattr(appeal if is_source and kind != "captions" else translation, kind, name)


def kept(kind: str, file: FileStorage) -> str:
    """The name under which a file that came with a form now lies in the media folder. Raises BadMedia."""
    suffix, media = PurePath(file.filename or "").suffix.lower(), installation().settings.media
    if suffix not in SUFFIXES[kind].split(","):
        message = N_("“%(suffix)s” cannot be used as %(kind)s here. Possible: %(known)s.")
        params = {"suffix": suffix[:20], "kind": _(LABELS[kind]), "known": SUFFIXES[kind].replace(",", " ")}
        raise BadMedia(Problem("media.wrong_kind", message, params, where=kind))
    if kind == "video":
        return keep_stream(media, file.stream, suffix)
    data = file.stream.read(MAX_BYTES[kind] + 1)
    check(data, suffix)
    return keep(media, reencoded(data), ".jpg") if kind == "poster" else keep(media, data, suffix)


def tell(error: BadMedia) -> None:
    """Say on the next page what is wrong with a file."""
    for one in (error.problem, *error.others):
        flash(problem(one), "bad")


def _linked() -> dict[str, str]:
    """The film as a page of a host, if its address was typed. Raises BadMedia."""
    typed = request.form.get("video_link", "").strip()
    if typed and not is_film_link(typed):
        message = N_("The address of the film has to begin with https:// and name a site, as the browser shows it.")
        raise BadMedia(Problem("media.no_link", message, where="video"))
    return {"video": typed} if typed else {}


def _back(slug: str, tag: str) -> str:
    return url_for("appeals.words", slug=slug, tag=tag, _anchor="media")
