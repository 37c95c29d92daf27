"""Web: previews. What a member will see of an appeal: the mail on a phone and a desk, its text, its inbox line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.copy import to_copy
from mobilizer.appeals.editing import translation_in
from mobilizer.appeals.media import BadMedia
from mobilizer.blasts.renditions import NOBODY, frame_of, link_targets, sample_recipient
from mobilizer.catalogs import phrases
from mobilizer.http import installation
from mobilizer.message.compile import CLIPPED_AT, CompileError, compile_rendition, links_of
from mobilizer.message.compose import html_of, preheader_of, subject_of, text_of
from mobilizer.message.content import Recipient
from mobilizer.message.rendition import Rendition
from mobilizer.problems import N_
from mobilizer.web.appeal_head import head, known_appeal, may_see, may_write, words_url
from mobilizer.web.check_page import why_not
from mobilizer.web.policy import allowed
from mobilizer.web.screens import appeals as blueprint
from mobilizer.web.words import _, problem

VIEWS = {"html": N_("Mail"), "text": N_("Text"), "inbox": N_("Inbox")}
SCREENS = {"phone": N_("Phone"), "desktop": N_("Desktop")}
SCHEMES = {"light": N_("Light"), "dark": N_("Dark")}
READERS = {"named": N_("With a name"), "nameless": N_("No name"), "rtl": N_("Arabic name")}
CHOICES: Mapping[str, Mapping[str, str]] = {"view": VIEWS, "screen": SCREENS, "scheme": SCHEMES, "reader": READERS}
NAMES = {"named": "Ana Souza", "nameless": "", "rtl": "ليلى حداد"}
PHONE_SUBJECT = 38  # letters of a subject that a phone's inbox shows, about

# What the shown mail may do: show pictures of ours and its own styles; nothing runs, nothing leads out.
FRAME_POLICY = (
    "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; form-action 'none'; "
    "frame-ancestors 'self'"
)
_DARK_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
_BOTH_SCHEMES = re.compile(r"light\s+dark(?=[\"';}\s])")


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail as a sample member gets it. `size` is that of the HTML, in bytes."""

    sender: str
    subject: str
    subject_cut: str
    preheader: str
    text: str
    size: int
    limit: int = CLIPPED_AT


@blueprint.get("/appeals/<slug>/preview")
@allowed("appeals.see")
def preview_start(slug: str) -> ResponseReturnValue:
    """The preview in a language that I work on, else in the source language."""
    with installation().database.read() as session:
        appeal = known_appeal(session, slug)
        tags = [one.language for one in appeal.translations]
        mine = [tag for tag in tags if tag != appeal.source_language and may_write(appeal, tag)]
        all_mine = may_write(appeal, appeal.source_language)
    tag = mine[0] if mine and not all_mine else appeal.source_language
    return redirect(url_for("appeals.preview", slug=slug, tag=tag), 303)


@blueprint.get("/appeals/<slug>/preview/<tag>")
@allowed("appeals.see")
def preview(slug: str, tag: str) -> ResponseReturnValue:
    """One language as one reader sees it."""
    asked = _asked()
    with installation().database.read() as session:
        appeal, translation = _visible(known_appeal(session, slug), tag)
        shown = head(session, appeal, tag, lambda other: _url(slug, other, asked))
        mail, problems = None, []
        try:
            mail = _shown(_rendition(appeal, translation), _reader(asked["reader"]))
        except (CompileError, BadMedia) as error:
            problems = why_not(error)
        edit = words_url(appeal, tag) if may_write(appeal, tag) else ""
    return render_template(
        "appeals/preview.html",
        appeal=shown,
        here=shown.line(tag),
        asked=asked,
        choices={name: _tabs(slug, tag, asked, name) for name in CHOICES},
        mail=mail,
        problems=[problem(one) for one in problems],
        edit=edit,
        frame=url_for("appeals.frame", slug=slug, tag=tag, scheme=asked["scheme"], reader=asked["reader"]),
    )


@blueprint.get("/appeals/<slug>/preview/<tag>/mail")
@allowed("appeals.see")
def frame(slug: str, tag: str) -> Response:
    """The mail's own HTML, for the preview's frame: it can neither run, nor call, nor lead anywhere."""
    asked = _asked()
    settings = installation().settings
    with installation().database.read() as session:
        appeal, translation = _visible(known_appeal(session, slug), tag)
        try:
            rendition = _rendition(appeal, translation)
        except (CompileError, BadMedia):
            abort(404)
    html = html_of(rendition, _reader(asked["reader"]), pixel=False)
    answer = make_response(as_seen(html, asked["scheme"], settings.base_url.rstrip("/")))
    answer.headers["Content-Security-Policy"] = FRAME_POLICY
    return answer


def as_seen(html: str, scheme: str, base_url: str) -> str:
    """A mail's HTML as a reader with a 'light' or 'dark' screen sees it, whatever this browser prefers.

    Its pictures come from the host that shows the preview, and its links lead nowhere.
    """
    always, never = "(min-width: 0px)", "(max-width: 0px)"
    html = _DARK_QUERY.sub(always if scheme == "dark" else never, html)
    html = _BOTH_SCHEMES.sub(scheme, html)
    html = html.replace(f"{base_url}/media/", "/media/")
    # Links take no click; by keyboard they ask for a new window, which the sandbox forbids.
    inert = '<base target="_blank"><style>a { pointer-events: none; }</style>'
    return re.sub(r"<head[^>]*>", lambda found: found[0] + inert, html, count=1)


def cut(text: str, letters: int) -> str:
    """The start of a line, as an inbox cuts it; a letter and its marks stay together."""
    if len(text) <= letters:
        return text
    end = letters - 1
    while end > 0 and unicodedata.combining(text[end]):
        end -= 1
    return text[:end].rstrip() + "…"


def _asked() -> dict[str, str]:
    """The choices in the query; the first of each where there is none, or one that we do not know."""
    asked = {}
    for name, known in CHOICES.items():
        wanted = request.args.get(name, "")
        asked[name] = wanted if wanted in known else next(iter(known))
    return asked


def _visible(appeal: Appeal, tag: str) -> tuple[Appeal, Translation]:
    translation = translation_in(appeal, tag) or abort(404)
    if not may_see(appeal, tag):
        abort(403)
    return appeal, translation


def _rendition(appeal: Appeal, translation: Translation) -> Rendition:
    """One language compiled as it stands, complete or not. Raises CompileError, BadMedia."""
    settings, copy = installation().settings, to_copy(translation)
    links = tuple(dict.fromkeys((*link_targets(appeal), *links_of(copy))))
    framed = frame_of(settings, appeal, translation, appeal.slug)
    return compile_rendition(copy, framed, links, phrases("member", translation.language))


def _reader(kind: str) -> Recipient:
    today = datetime.now(UTC).date()
    return sample_recipient(installation().keyring, NOBODY, "someone@example.org", NAMES[kind], today)


def _shown(rendition: Rendition, reader: Recipient) -> Shown:
    subject = subject_of(rendition, reader)
    return Shown(
        sender=rendition.sender_name,
        subject=subject,
        subject_cut=cut(subject, PHONE_SUBJECT),
        preheader=preheader_of(rendition, reader),
        text=text_of(rendition, reader),
        size=len(html_of(rendition, reader).encode()),
    )


def _url(slug: str, tag: str, asked: Mapping[str, str], **changes: str) -> str:
    query: dict[str, Any] = {**asked, **changes}
    return url_for("appeals.preview", slug=slug, tag=tag, **query)


def _tabs(slug: str, tag: str, asked: Mapping[str, str], name: str) -> list[tuple[str, str, bool]]:
    return [
        (_(label), _url(slug, tag, asked, **{name: value}), asked[name] == value)
        for value, label in CHOICES[name].items()
    ]
