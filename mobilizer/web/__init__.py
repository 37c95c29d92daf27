"""Face: the organizer's pages. One file a family of screens, each with its `blueprint`."""

from __future__ import annotations

from flask import Blueprint

# Carries what all screens share: templates/ and static/ (served under /static).
blueprint = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/static")
