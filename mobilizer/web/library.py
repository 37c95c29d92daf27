"""Web: the media library. What there is, what it shows in each language, where it is used; and choosing from it."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.appeals.editing import save_translation
from mobilizer.appeals.library import describe, remove, shelves, text_for
from mobilizer.appeals.media import BadMedia, is_kept_name, kind_of
from mobilizer.appeals.writing import touch
from mobilizer.blasts.renditions import is_in_mails
from mobilizer.http import installation
from mobilizer.languages import INTERFACE_LANGUAGES, UnknownLanguage, canonical, language
from mobilizer.organizers.audit import record
from mobilizer.problems import N_
from mobilizer.web.appeal_head import writable
from mobilizer.web.asked import number_asked
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import appeals as blueprint
from mobilizer.web.uploads import LABELS, SUFFIXES, kept, put, tell
from mobilizer.web.words import _, problem

PAGE = 36
USES = {"poster": N_("Use as the poster"), "video": N_("Use as the film"), "captions": N_("Use as the captions")}


@blueprint.get("/appeals/library")
@allowed("appeals.write")
def library() -> ResponseReturnValue:
    """The files, newest first; `appeal` and `tag` in the query say what one is chosen for."""
    here, first = installation(), number_asked("start") or 0
    slug, tag = request.args.get("appeal", ""), request.args.get("tag", "")
    with here.database.read() as session:
        if slug:
            writable(session, slug, tag)
        found = shelves(session, here.settings.media, partial(is_in_mails, session))
    on = url_for("appeals.library", appeal=slug or None, tag=tag or None, start=first + PAGE)
    return render_template(
        "appeals/library.html",
        files=found[first : first + PAGE],
        count=len(found),
        on=on if len(found) > first + PAGE else None,
        back=url_for("appeals.library", appeal=slug or None, tag=tag or None) if first else None,
        slug=slug,
        tag=tag,
        labels={kind: _(name) for kind, name in LABELS.items()},
        uses={kind: _(name) for kind, name in USES.items()},
        accept=",".join(SUFFIXES.values()),
        tags=[(one, language(one).own_name) for one in INTERFACE_LANGUAGES],
    )


@blueprint.post("/appeals/library")
@allowed("appeals.write")
def shelve() -> ResponseReturnValue:
    """Bring a file into the library."""
    file = request.files.get("file")
    if file is None or not file.filename:
        flash(_("No file was chosen."), "warn")
        return redirect(url_for("appeals.library"), 303)
    suffix = PurePath(file.filename).suffix.lower()
    kind = next((kind for kind, known in SUFFIXES.items() if suffix in known.split(",")), "poster")
    try:
        kept(kind, file)
    except BadMedia as error:
        tell(error)
    else:
        with installation().database.write() as session:
            record(session, me().id, "media.add", "media", kind=kind)
        flash(_("The file is in the library."), "good")
    return redirect(url_for("appeals.library"), 303)


@blueprint.post("/appeals/library/<name>/text")
@allowed("appeals.write")
def describe_file(name: str) -> ResponseReturnValue:
    """Say what a picture shows, in one language."""
    here = installation()
    try:
        tag = canonical(request.form.get("language", ""))
    except UnknownLanguage:
        abort(400)
    with here.database.write() as session:
        media = here.settings.media
        problems = describe(session, media, _known(name), tag, request.form.get("text", ""))
    for one in problems:
        flash(problem(one), "bad")
    return redirect(url_for("appeals.library", _anchor=f"m-{name[:12]}"), 303)


@blueprint.post("/appeals/library/<name>/remove")
@allowed("appeals.write")
def throw_away(name: str) -> ResponseReturnValue:
    """Throw away a file that nobody uses."""
    here = installation()
    with here.database.write() as session:
        problems = remove(session, here.settings.media, _known(name), partial(is_in_mails, session))
        if not problems:
            record(session, me().id, "media.remove", "media", kind=kind_of(name))
    for one in problems:
        flash(problem(one), "bad")
    if not problems:
        flash(_("The file is thrown away."), "good")
    return redirect(url_for("appeals.library"), 303)


@blueprint.post("/appeals/<slug>/media/<tag>/choose")
@allowed("appeals.translate")
def choose_file(slug: str, tag: str) -> ResponseReturnValue:
    """Use a file of the library in a language; a poster brings its words along where there are none yet."""
    name = _known(request.form.get("name", ""))
    with installation().database.write() as session:
        appeal, translation = writable(session, slug, tag)
        put(appeal, translation, {kind_of(name): name})
        touch(session, appeal)
        if kind_of(name) == "poster" and not translation.poster_alt:
            _bring_words(session, slug, tag, text_for(session, name, tag))
        record(session, me().id, "appeal.media", f"appeal:{appeal.id}", language=tag, kinds=[kind_of(name)])
    flash(_("The files are in place."), "good")
    return redirect(url_for("appeals.words", slug=slug, tag=tag, _anchor="media"), 303)


def _bring_words(session: Session, slug: str, tag: str, text: str) -> None:
    if text:
        appeal, _translation = writable(session, slug, tag)
        save_translation(session, appeal, tag, {"poster_alt": text})


def _known(name: str) -> str:
    if not is_kept_name(name) or not (installation().settings.media / name).is_file():
        abort(404)
    return name
