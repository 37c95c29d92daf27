"""Web: why people left, in sums; and what they wrote, without who wrote it."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from mobilizer.audience.leaving_reasons import own_words, sums
from mobilizer.http import installation
from mobilizer.problems import N_
from mobilizer.web.policy import allowed
from mobilizer.web.screens import members as blueprint
from mobilizer.web.words import _

MOST_SHOWN = 200
REASONS = {
    "too_many": N_("Too many mails"),
    "not_mine": N_("Not what they care about"),
    "never_asked": N_("Never asked for them"),
    "language": N_("Not in a language they read well"),
    "safety": N_("Do not feel safe getting them"),
    "other": N_("Something else"),
    "": N_("Only words of their own"),
}


@blueprint.get("/members/leaving")
@allowed("members.see")
def leaving_reasons() -> ResponseReturnValue:
    """The sums, the commonest reason first, and the words."""
    here = installation()
    with here.database.read() as session:
        counted = [(_(REASONS[choice]), people) for choice, people in sums(session).items()]
        words = own_words(session, here.keyring, MOST_SHOWN)
    return render_template("members/leaving.html", reasons=counted, words=words)
