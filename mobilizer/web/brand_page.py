"""Web: the organisation's colours, with what can be read of them in light and in dark."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.appeals.brand import Brand, Judged, brand_of, judge, keep_brand, read_brand
from mobilizer.http import installation
from mobilizer.organizers.audit import record
from mobilizer.problems import N_, Problem
from mobilizer.web.policy import allowed, me
from mobilizer.web.words import _

blueprint = Blueprint("brand", __name__, url_prefix="/settings/colours")
PARTS = {"button": N_("Buttons"), "link": N_("Links"), "header": N_("Header")}
SCHEMES = {"light": N_("Light"), "dark": N_("Dark")}


@blueprint.get("")
@allowed("settings.brand")
def show() -> ResponseReturnValue:
    """The colours and how well each can be read; those of the query, to try them out before they are kept."""
    here = installation()
    with here.database.read() as session:
        kept = brand_of(session, here.settings.brand_colour)
    tried = read_brand(request.args) if "button" in request.args else kept
    return _page(tried, kept, [])


@blueprint.post("")
@allowed("settings.brand")
def keep() -> ResponseReturnValue:
    """Use colours from now on; what was launched stays as it was."""
    here, wanted = installation(), read_brand(request.form)
    with here.database.write() as session:
        problems = keep_brand(session, wanted)
        if not problems:
            record(session, me().id, "brand.keep", "brand:1")
        kept = brand_of(session, here.settings.brand_colour)
    if problems:
        return _page(wanted, kept, problems), 422
    flash(_("The colours are kept. Mails that were launched before stay as they are."), "good")
    return redirect(url_for("brand.show"), 303)


def _page(tried: Brand, kept: Brand, problems: list[Problem]) -> str:
    judged: list[Judged] = []
    try:
        judged = list(judge(tried))
    except ValueError:  # what was typed is no colour
        judged = list(judge(kept))
    return render_template(
        "settings/brand.html",
        tried=tried,
        unsaved=tried != kept,
        judged=judged,
        parts={part: _(name) for part, name in PARTS.items()},
        schemes={scheme: _(name) for scheme, name in SCHEMES.items()},
        problems={one.where: one for one in problems},
    )
