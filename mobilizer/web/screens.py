"""Web: the blueprints of the screens that take several modules. A view's module adds its routes to one of them."""

from __future__ import annotations

from flask import Blueprint

appeals = Blueprint("appeals", __name__)
blasts = Blueprint("blasts", __name__)
members = Blueprint("members", __name__)
results = Blueprint("results", __name__)
settings = Blueprint("settings", __name__, url_prefix="/settings")
