"""Web: the link map. The mail as it was sent, each of its links with a number, and how often it was clicked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from lxml import etree
from lxml import html as lxml_html
from sqlalchemy import select

from mobilizer.appeals.variants import FIRST
from mobilizer.blasts.blasts import Rendition as RenditionRow
from mobilizer.blasts.renditions import sample_recipient
from mobilizer.delivery.proof import SAMPLE_ADDRESS
from mobilizer.engagement.links import link_clicks
from mobilizer.http import installation
from mobilizer.message.compose import html_of
from mobilizer.message.content import TOKEN_WIDTH, Tokens
from mobilizer.message.rendition import Rendition
from mobilizer.problems import N_
from mobilizer.web.blast_head import NOT_LAUNCHED, blast_head, known_blast, place_of
from mobilizer.web.over_time import tongues
from mobilizer.web.policy import allowed
from mobilizer.web.preview import FRAME_POLICY, PICTURES, as_seen
from mobilizer.web.result_views import views
from mobilizer.web.screens import results as blueprint
from mobilizer.web.words import number

OURS = {"watch": N_("Our watch page"), "share": N_("Our watch page, where it is shared")}
# Nobody's: what stands where a member's own tokens do.
NO_TOKENS = Tokens(*["0" * TOKEN_WIDTH] * len(Tokens._fields))
_CLICK = re.compile(rf"/c/{NO_TOKENS.click}/([0-9]+)$")
# As a mail has it: its styles are its own, and ours don't reach into the frame.
_BADGE = (
    "display:inline-block;margin:0 4px;padding:2px 8px;border:2px solid #ffffff;border-radius:99px;background:#1d4ed8;"
    "color:#ffffff;font:bold 14px/1.3 sans-serif;text-decoration:none;white-space:nowrap"
)


@blueprint.get("/blasts/<slug>/results/links")
@allowed("results.see")
def links(slug: str) -> ResponseReturnValue:
    """The mail in one language, and the links of it."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            return redirect(place_of(blast), 303)
        frozen = dict(
            session.execute(
                select(RenditionRow.language, RenditionRow.compiled).where(
                    RenditionRow.blast_id == blast.id, RenditionRow.variant == FIRST
                )
            ).all()
        )
        asked = request.args.get("language", "")
        tag = (
            asked if asked in frozen else next((one for one in (blast.default_language, *frozen) if one in frozen), "")
        )
        mail = _mail(frozen[tag]) if tag else ""
        # What this language does not have is not clicked in it.
        shown = [
            one
            for one in link_clicks(session, blast.id, tag)
            if one.clicks or one.machine_clicks or one.n in _numbers(mail)
        ]
        head, forgotten = blast_head(blast), blast.forgotten_at
    return render_template(
        "results/links.html",
        blast=head,
        tag=tag,
        links=shown,
        ours=OURS,
        tongues=tongues(sorted(frozen), tag, lambda one: url_for(".links", slug=slug, language=one), all_of_them=False),
        forgotten=forgotten,
        views=views(slug, ".links"),
    )


@blueprint.get("/blasts/<slug>/results/links/<tag>/mail")
@allowed("results.see")
def mail_of(slug: str, tag: str) -> Response:
    """The mail for the frame: made for nobody, its links lead nowhere and have their numbers."""
    here = installation()
    with here.database.read() as session:
        blast = known_blast(session, slug)
        kept = session.get(RenditionRow, (blast.id, tag, FIRST)) or abort(404)
        mail, people = _mail(kept.compiled), {one.n: one.people for one in link_clicks(session, blast.id, tag)}
    answer = make_response(as_seen(numbered(mail, people), "light", here.settings.base_url.rstrip("/")))
    answer.headers["Content-Security-Policy"] = FRAME_POLICY % PICTURES
    return answer


def numbered(mail: str, people: Mapping[int, int]) -> str:
    """A mail whose links have their number and their people behind them, and no address. What only Outlook reads, which
    hides in comments, is left out."""
    document = lxml_html.document_fromstring(mail)
    etree.strip_tags(document, etree.Comment)
    for link in document.iter("a"):
        found = _CLICK.search(link.attrib.pop("href", ""))
        if found is not None:
            badge = lxml_html.Element("span", style=_BADGE, dir="ltr")
            badge.text = f"{number(int(found[1]))} · {number(people.get(int(found[1]), 0))}"
            link.append(badge)
    return str(lxml_html.tostring(document, encoding="unicode", doctype="<!doctype html>"))


def _numbers(mail: str) -> set[int]:
    """The numbers of the links in a mail."""
    return {int(n) for n in re.findall(rf"/c/{NO_TOKENS.click}/([0-9]+)", mail)}


def _mail(compiled: str) -> str:
    here, today = installation(), datetime.now(UTC).date()
    nobody = replace(sample_recipient(here.keyring, 0, SAMPLE_ADDRESS, "", today), tokens=NO_TOKENS)
    return html_of(Rendition.loads(compiled), nobody, pixel=False)
