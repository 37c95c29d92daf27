"""Web: how a mail looks. The e-mail template of an appeal, chosen by what it makes of the appeal's own words."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.appeals.look import choose_template
from mobilizer.http import installation
from mobilizer.message.templates import templates
from mobilizer.organizers.audit import record
from mobilizer.problems import N_
from mobilizer.web.appeal_head import head, known_appeal
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import appeals as blueprint
from mobilizer.web.words import _, problem

# What our own templates say of themselves; a house test holds it to their about.toml. Others speak as they are written.
OURS = {
    "video-appeal": (
        N_("Video appeal"),
        N_("A poster with a play mark, a few words, one button, and a line that asks to share."),
    ),
    "short-note": (
        N_("Short plain note"),
        N_("Like a letter from one person to another: no picture, a few lines and one link."),
    ),
    "thank-you": (
        N_("Thank-you and report"),
        N_("What came of it, in your colour at the top, then thanks; a picture beneath if there is one."),
    ),
}


@blueprint.get("/appeals/<slug>/template")
@allowed("appeals.write")
def template(slug: str) -> ResponseReturnValue:
    """The templates, each as it makes the appeal look."""
    with installation().database.read() as session:
        appeal = known_appeal(session, slug)
        shown, chosen = head(session, appeal), appeal.template
    names = {one.slug: tuple(map(_, OURS.get(one.slug, (one.name, one.description)))) for one in templates()}
    return render_template("appeals/template.html", appeal=shown, names=names, chosen=chosen)


@blueprint.post("/appeals/<slug>/template")
@allowed("appeals.write")
def change_template(slug: str) -> ResponseReturnValue:
    """Choose a template for the appeal."""
    with installation().database.write() as session:
        appeal = known_appeal(session, slug)
        wanted = request.form.get("template", "")
        problems = choose_template(session, appeal, wanted)
        if not problems:
            record(session, me().id, "appeal.template", f"appeal:{appeal.id}", template=wanted)
    for one in problems:
        flash(problem(one), "bad")
    if not problems:
        flash(_("The template is chosen."), "good")
    return redirect(url_for("appeals.template", slug=slug), 303)
