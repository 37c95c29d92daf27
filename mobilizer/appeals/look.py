"""Appeals: how an appeal looks, the e-mail template it is set in."""

from __future__ import annotations

from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.writing import touch
from mobilizer.message.templates import template_named
from mobilizer.problems import N_, Problem


def choose_template(session: Session, appeal: Appeal, slug: str) -> list[Problem]:
    """Let an appeal look like another e-mail template, or say that there is none of that name."""
    if template_named(slug) is None:
        message = N_("There is no e-mail template “%(template)s”. Choose one of those that are shown.")
        return [Problem("appeal.no_template", message, {"template": slug[:60]}, where="template")]
    if slug != appeal.template:
        appeal.template = slug
        touch(session, appeal)
    return []
