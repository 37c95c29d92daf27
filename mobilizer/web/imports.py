"""Web: importing members."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from mobilizer.web.policy import allowed

blueprint = Blueprint("imports", __name__)


@blueprint.get("/lists/<slug>/import")
@allowed("members.import")
def new(slug: str) -> ResponseReturnValue:
    """The form."""
    return slug


@blueprint.get("/imports/<int:number>")
@allowed("members.import")
def show(number: int) -> ResponseReturnValue:
    """The report."""
    return str(number)
