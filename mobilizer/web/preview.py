"""Web: previews. What a member will see of an appeal: the mail on a phone and a desk, its text, its inbox line; and all
of it at once, a language a row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.copy import to_copy
from mobilizer.appeals.editing import translation_in
from mobilizer.appeals.media import BadMedia
from mobilizer.appeals.variants import FIRST, variants_of
from mobilizer.blasts.modes import Modes
from mobilizer.blasts.renditions import compile_language, compiled, frame_of, link_targets
from mobilizer.http import installation
from mobilizer.message.compile import CLIPPED_AT, CompileError, links_of
from mobilizer.message.compose import html_of, preheader_of, subject_of, text_of
from mobilizer.message.inboxes import INBOXES, shown_in
from mobilizer.message.rendition import Rendition
from mobilizer.message.templates import template_named
from mobilizer.problems import N_
from mobilizer.web.appeal_head import LanguageLine, head, known_appeal, may_see, may_write, words_url
from mobilizer.web.check_page import why_not
from mobilizer.web.policy import allowed
from mobilizer.web.readers import READERS, Reader, reader_asked
from mobilizer.web.screens import appeals as blueprint
from mobilizer.web.words import _, problem

VIEWS = {"html": N_("Mail"), "blocked": N_("Pictures off"), "text": N_("Text"), "inbox": N_("Inbox")}
SCREENS = {"phone": N_("Phone"), "desktop": N_("Desktop")}
SCHEMES = {"light": N_("Light"), "dark": N_("Dark")}
CHOICES: Mapping[str, Mapping[str, str]] = {"view": VIEWS, "screen": SCREENS, "scheme": SCHEMES, "reader": READERS}
DISCREET = "discreet"  # the wording of those at risk, among the variants
TEXT_IN_GRID = 700  # letters of a text part that the grid shows

# What the shown mail may do: show pictures of ours and its own styles; nothing runs, nothing leads out.
FRAME_POLICY = (
    "sandbox; default-src 'none'; img-src %s; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'"
)
PICTURES, NO_PICTURES = "'self' data:", "'none'"
_DARK_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
_BOTH_SCHEMES = re.compile(r"light\s+dark(?=[\"';}\s])")


@dataclass(frozen=True, slots=True)
class InboxLine:
    """Subject and preheader as one mail program shows them."""

    name: str
    screen: str
    subject: str
    preheader: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail as one reader gets it. `size` is that of the HTML, in bytes."""

    sender: str
    subject: str
    preheader: str
    text: str
    size: int
    inboxes: tuple[InboxLine, ...]
    limit: int = CLIPPED_AT


@dataclass(frozen=True, slots=True)
class GridRow:
    """One language of the grid: its mail and a frame for each screen and scheme, or why it can't be shown."""

    line: LanguageLine
    mail: Shown | None
    problems: tuple[str, ...]
    cells: tuple[tuple[str, str, str, str], ...] = ()


@blueprint.get("/appeals/<slug>/preview")
@allowed("appeals.see")
def preview_start(slug: str) -> ResponseReturnValue:
    """The grid of all languages; for who works on one of them, that one."""
    with installation().database.read() as session:
        appeal = known_appeal(session, slug)
        tags = [one.language for one in appeal.translations]
        mine = [tag for tag in tags if tag != appeal.source_language and may_write(appeal, tag)]
        all_mine = may_write(appeal, appeal.source_language)
        seen = [tag for tag in tags if may_see(appeal, tag)]
    if mine and not all_mine:
        return redirect(url_for("appeals.preview", slug=slug, tag=mine[0]), 303)
    if len(seen) > 1:
        return redirect(url_for("appeals.grid", slug=slug), 303)
    return redirect(url_for("appeals.preview", slug=slug, tag=appeal.source_language), 303)


@blueprint.get("/appeals/<slug>/grid")
@allowed("appeals.see")
def grid(slug: str) -> ResponseReturnValue:
    """Every language that I may see, on each screen, in light and dark."""
    asked = _asked()
    with installation().database.read() as session:
        appeal, reader = known_appeal(session, slug), reader_asked(session)
        shown = head(session, appeal)
        rows = [_row(appeal, line, reader, asked["view"]) for line in shown.languages]
    here = {"view": asked["view"], **reader.query}
    return render_template(
        "appeals/grid.html",
        appeal=shown,
        view=asked["view"],
        rows=rows,
        reader=reader,
        letters=TEXT_IN_GRID,
        choices={
            name: _tabs(CHOICES[name], lambda **to: url_for("appeals.grid", slug=slug, **to), here, name)
            for name in ("view", "reader")
        },
    )


@blueprint.get("/appeals/<slug>/preview/<tag>")
@allowed("appeals.see")
def preview(slug: str, tag: str) -> ResponseReturnValue:
    """One language as one reader sees it."""
    asked = _asked()
    with installation().database.read() as session:
        appeal, translation = _visible(known_appeal(session, slug), tag)
        reader = reader_asked(session)
        variant = _variant_asked(translation)
        here = {**{name: asked[name] for name in asked if name != "reader"}, "variant": variant, **reader.query}
        shown = head(session, appeal, tag, lambda other: _url(slug, other, here))
        known = {**CHOICES, "variant": _wordings(translation)}
        mail, problems = _mail(appeal, translation, reader, variant)
        edit = words_url(appeal, tag) if may_write(appeal, tag) else ""
    return render_template(
        "appeals/preview.html",
        appeal=shown,
        here=shown.line(tag),
        asked=asked,
        reader=reader,
        choices={
            name: _tabs(known[name], lambda **to: url_for("appeals.preview", slug=slug, tag=tag, **to), here, name)
            for name in known
        },
        mail=mail,
        problems=problems,
        edit=edit,
        frame=_frame_url(slug, tag, reader, asked["scheme"], asked["view"], variant),
    )


@blueprint.get("/appeals/<slug>/preview/<tag>/mail")
@allowed("appeals.see")
def frame(slug: str, tag: str) -> Response:
    """The mail's own HTML, for the preview's frame: it can neither run, nor call, nor lead anywhere.

    `template` in the query shows it in another template than the appeal's.
    """
    asked = _asked()
    settings = installation().settings
    with installation().database.read() as session:
        appeal, translation = _visible(known_appeal(session, slug), tag)
        reader = reader_asked(session)
        try:
            variant = _variant_asked(translation)
            rendition = _rendition(appeal, translation, request.args.get("template", ""), variant)
        except (CompileError, BadMedia):
            abort(404)
    html = html_of(rendition, reader.spoken_to(rendition.language), pixel=False)
    answer = make_response(as_seen(html, asked["scheme"], settings.base_url.rstrip("/")))
    answer.headers["Content-Security-Policy"] = FRAME_POLICY % (NO_PICTURES if asked["view"] == "blocked" else PICTURES)
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


def _variant_asked(translation: Translation) -> str:
    """The variant in the query; the first wording where there is none, or one that this language does not have."""
    wanted = request.args.get("variant", "")
    return wanted if wanted in _wordings(translation) else FIRST


def _wordings(translation: Translation) -> dict[str, str]:
    """The variants of a language by their names, and its discreet words where it has some."""
    variants = {one: one.upper() for one in variants_of(translation)}
    return variants | ({DISCREET: N_("Discreet")} if translation.discreet_subject else {})


def _rendition(appeal: Appeal, translation: Translation, template: str = "", variant: str = FIRST) -> Rendition:
    """One language compiled as it stands, complete or not. Raises CompileError, BadMedia."""
    settings = installation().settings
    if variant == DISCREET:
        return compile_language(settings, appeal, appeal.slug, translation.language, modes=Modes(discreet=True))
    copy = to_copy(translation, variant)
    links = tuple(dict.fromkeys((*link_targets(appeal), *links_of(copy))))
    framed = frame_of(settings, appeal, translation, appeal.slug)
    if template_named(template):
        framed = replace(framed, template=template)
    return compiled(copy, framed, links)


def _mail(
    appeal: Appeal, translation: Translation, reader: Reader, variant: str = FIRST
) -> tuple[Shown | None, list[str]]:
    """A language's mail, or None and why there is none."""
    try:
        return _shown(_rendition(appeal, translation, variant=variant), reader), []
    except (CompileError, BadMedia) as error:
        return None, [problem(one) for one in why_not(error)]


def _shown(rendition: Rendition, reader: Reader) -> Shown:
    to = reader.spoken_to(rendition.language)
    subject, preheader = subject_of(rendition, to), preheader_of(rendition, to)
    lines = [InboxLine(_(one.name), one.screen, *shown_in(one, subject, preheader)) for one in INBOXES]
    size = len(html_of(rendition, to).encode())
    return Shown(rendition.sender_name, subject, preheader, text_of(rendition, to), size, tuple(lines))


def _row(appeal: Appeal, line: LanguageLine, reader: Reader, view: str) -> GridRow:
    translation = translation_in(appeal, line.tag) or abort(404)
    mail, problems = _mail(appeal, translation, reader)
    cells = [_cell(appeal.slug, line.tag, reader, screen, scheme, view) for screen in SCREENS for scheme in SCHEMES]
    return GridRow(line, mail, tuple(problems), tuple(cells))


def _cell(slug: str, tag: str, reader: Reader, screen: str, scheme: str, view: str) -> tuple[str, str, str, str]:
    """(screen, scheme, the frame's address, the address of the same in large)."""
    large = url_for("appeals.preview", slug=slug, tag=tag, view=view, screen=screen, scheme=scheme, **reader.query)
    return screen, scheme, _frame_url(slug, tag, reader, scheme, view), large


def _frame_url(slug: str, tag: str, reader: Reader, scheme: str, view: str, variant: str = FIRST) -> str:
    blocked, other = view if view == "blocked" else None, variant if variant != FIRST else None
    return url_for("appeals.frame", slug=slug, tag=tag, scheme=scheme, view=blocked, variant=other, **reader.query)


def _url(slug: str, tag: str, here: dict[str, Any]) -> str:
    return url_for("appeals.preview", slug=slug, tag=tag, **here)


def _tabs(known: Mapping[str, str], to: Any, here: dict[str, Any], name: str) -> list[tuple[str, str, bool]]:
    """(label, address, is here) of each choice; another reader takes the place of a member."""
    kept = {key: value for key, value in here.items() if key not in (name, "member" if name == "reader" else "")}
    return [(_(label), to(**kept, **{name: value}), here.get(name) == value) for value, label in known.items()]
