"""Web: the overview, what needs me now."""

from __future__ import annotations

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from mobilizer.http import installation
from mobilizer.web.brand import brand_css
from mobilizer.web.policy import allowed, anyone

blueprint = Blueprint("overview", __name__)


@blueprint.get("/")
@allowed("overview.see")
def index() -> ResponseReturnValue:
    """What needs me now."""
    return render_template("overview.html")


@blueprint.get("/brand.css")
@anyone
def brand() -> Response:
    """The organisation's hue as custom properties."""
    answer = Response(brand_css(installation().settings.brand_colour), mimetype="text/css")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer
