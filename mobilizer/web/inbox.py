"""Web: the built-in inbox, every mail that the demo sent. A tool for trying out, shown only where it is switched on."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from mobilizer.http import installation
from mobilizer.transport.kept import Arrived, Inbox
from mobilizer.transport.reading import read
from mobilizer.web.asked import number_asked
from mobilizer.web.policy import anyone, permitted
from mobilizer.web.preview import as_seen

blueprint = Blueprint("inbox", __name__)

PAGE = 50
MOST_FOUND = 200
VIEWS = ("html", "text", "headers", "source")
WIDTHS = ("desktop", "phone")
COLOURS = ("light", "dark")
# The mail's own styles and pictures; no script, no form, no plug-in. What it links to opens in a tab of its own.
FRAME_POLICY = (
    "default-src 'none'; img-src 'self' data: {pictures}; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


@blueprint.before_request
def shown() -> None:
    """Nothing is here unless the inbox is switched on. It is open in a demo that can't send elsewhere; anywhere
    else it holds real people's links and asks for a sign-in."""
    settings = installation().settings
    if not settings.inbox:
        abort(404)
    if not (settings.loopback_only or permitted("inbox.see")):
        abort(403)


@blueprint.get("/inbox")
@anyone
def index() -> ResponseReturnValue:
    """What arrived, newest first, of all languages or one."""
    inbox, language = _inbox(), request.args.get("language")
    mails = inbox.messages(before=number_asked("before"), limit=PAGE + 1, language=language)
    return render_template(
        "inbox/index.html",
        mails=mails[:PAGE],
        older=mails[PAGE - 1].id if len(mails) > PAGE else None,
        languages=inbox.languages(),
        count=inbox.count(),
        chosen=language,
    )


@blueprint.post("/inbox/search")
@anyone
def search() -> ResponseReturnValue:
    """Mails to a recipient. A POST, because an address never stands in a URL."""
    asked = request.form.get("recipient", "").strip()[:320]
    found = _inbox().messages(recipient=asked, limit=MOST_FOUND) if asked else []
    return render_template("inbox/found.html", mails=found, asked=asked, most=MOST_FOUND)


@blueprint.get("/inbox/<int:number>")
@anyone
def show(number: int) -> ResponseReturnValue:
    """One mail: as it looks, its text part, its headers or its source."""
    mail = _mail(number)
    reading = read(mail.raw)
    there = [view for view in VIEWS if view not in ("html", "text") or getattr(reading, view)]
    return render_template(
        "inbox/show.html",
        mail=mail,
        reading=reading,
        views=there,
        view=_chosen("view", there),
        width=_chosen("width", WIDTHS),
        colours=_chosen("colours", COLOURS),
        source=mail.raw.decode("utf-8", "replace"),
    )


@blueprint.get("/inbox/<int:number>/frame")
@anyone
def frame(number: int) -> ResponseReturnValue:
    """The mail's HTML by itself, for the sandboxed frame."""
    base_url = installation().settings.base_url.rstrip("/")
    html = as_seen(read(_mail(number).raw).html, _chosen("colours", COLOURS), base_url)
    answer, address = Response(html, mimetype="text/html"), urlsplit(base_url)
    answer.headers["Content-Security-Policy"] = FRAME_POLICY.format(pictures=f"{address.scheme}://{address.netloc}")
    return answer


@blueprint.get("/inbox/<int:number>.eml")
@anyone
def source(number: int) -> ResponseReturnValue:
    """The mail byte by byte, as a file for any mail program."""
    answer = Response(_mail(number).raw, mimetype="message/rfc822")
    answer.headers["Content-Disposition"] = f'attachment; filename="mail-{number}.eml"'
    return answer


def _inbox() -> Inbox:
    return Inbox(installation().settings.home)


def _mail(number: int) -> Arrived:
    found: Arrived = (_inbox().get(number) if number < 2**63 else None) or abort(404)
    return found


def _chosen(name: str, among: list[str] | tuple[str, ...]) -> str:
    asked = request.args.get(name, "")
    return asked if asked in among else among[0]
