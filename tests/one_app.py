"""One application for many tests: to make one and to compile its pages takes fifty times what a request does."""

from __future__ import annotations

from flask import Flask
from limits.storage import MemoryStorage

from mobilizer.app import create_app
from mobilizer.http import EXTENSION
from mobilizer.installation import Installation
from mobilizer.limits import limiter

# What a test may set and a request keeps on an application, as it was when it was made.
_MAKING = ("config", "extensions", "view_functions")
_made: dict[tuple[object, ...], tuple[Flask, dict[str, dict[str, object]]]] = {}


def app_of(here: Installation) -> Flask:
    """The application over an installation, as `create_app` makes it, with no tries counted yet.

    It is yours until the next test asks. Who adds a route or a step to the application itself makes one of their own.
    """
    # All that `create_app` reads of an installation; the rest is asked at each request.
    settings = here.settings
    shape = (
        here.keyring.cookie_secret,
        settings.base_url.startswith("https://"),
        settings.import_bytes,
        settings.inbox,
        settings.trusted_proxies,
    )
    if shape not in _made or not isinstance(limiter.storage, MemoryStorage):
        app = create_app(settings, here, counter="memory://")
        app.config["DRAWN_SECONDS"] = 0  # a page is drawn for each who asks: the next test has another database
        _made[shape] = app, {name: dict(getattr(app, name)) for name in _MAKING}
    app, making = _made[shape]
    for name, values in making.items():
        getattr(app, name).clear()
        getattr(app, name).update(values)
    app.extensions[EXTENSION] = here
    limiter.reset()
    return app
