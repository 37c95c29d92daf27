"""The top of the house: one Flask application of all faces, with the headers and limits that hold for every answer."""

from __future__ import annotations

import time
import uuid

import structlog
from flask import Flask, Response, abort, current_app, g, request
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import DBAPIError
from werkzeug.middleware.proxy_fix import ProxyFix

from mobilizer import logs, public, web
from mobilizer.appeals.media import MAX_BYTES
from mobilizer.http import EXTENSION, installation, on_discreet_site
from mobilizer.installation import Installation, WrongKeys, follow_keys, install
from mobilizer.limits import install_limits
from mobilizer.patience import Patience
from mobilizer.public.answers import refused
from mobilizer.public.drawn import SECONDS, DrawnPages
from mobilizer.public.front import Front
from mobilizer.settings import Settings, load_settings
from mobilizer.web import (
    appeals,
    audit,
    blasts,
    brand_page,
    domain,
    fields,
    first_run,
    imports,
    inbox,
    invitation,
    keeping,
    leaving_reasons,
    list_figures,
    lists,
    member_changes,
    member_merging,
    members,
    metrics,
    notices,
    overview,
    results,
    safety,
    screens,
    second_person,
    segments,
    sending,
    signin,
    sums,
    tags,
    takeout,
    tongues,
    users,
)
from mobilizer.web import settings as settings_pages
from mobilizer.web.assets import asset
from mobilizer.web.diffs import install_diffs
from mobilizer.web.errors import install_errors
from mobilizer.web.labels import install_labels
from mobilizer.web.navigation import navigation
from mobilizer.web.policy import OPEN_BLUEPRINTS, OPEN_ENDPOINTS, guard, permitted
from mobilizer.web.receiving import OurRequest
from mobilizer.web.words import install_formats

MEGABYTE = 1024 * 1024
FOLLOW_SECONDS = 5.0  # between two questions which key is current, and what was chosen
LARGEST_UPLOAD = 101 * MEGABYTE  # the file and the form round it
LARGEST_FORM = 2 * MEGABYTE
# What a page may load: our own files and nothing else. A view may answer with a policy of its own.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# Importing these puts their views on the blueprints of `screens`.
VIEWS = (
    appeals,
    audit,
    blasts,
    domain,
    first_run,
    sending,
    invitation,
    leaving_reasons,
    list_figures,
    member_changes,
    member_merging,
    members,
    results,
    safety,
    second_person,
    settings_pages,
    users,
)
# The screens of the organizers.
SCREENS = (
    web.blueprint,
    signin.blueprint,
    overview.blueprint,
    screens.appeals,
    screens.blasts,
    screens.results,
    sums.blueprint,
    lists.blueprint,
    segments.blueprint,
    screens.members,
    takeout.blueprint,
    tags.blueprint,
    imports.blueprint,
    fields.blueprint,
    tongues.blueprint,
    screens.settings,
    brand_page.blueprint,
    notices.blueprint,
    metrics.blueprint,
)


def create_app(settings: Settings, given: Installation | None = None, *, counter: str = "") -> Flask:
    """The WSGI application. `counter` is where sign-in tries are counted, if not in the settings' Redis."""
    app = Flask("mobilizer", static_folder=None, template_folder=None)
    here = given or install(settings)
    app.request_class = OurRequest
    app.extensions[EXTENSION] = here
    _configure(app, here)
    csrf = CSRFProtect(app)
    app.before_request(_begin)
    app.before_request(guard)
    # The guard stands before the form check: who may not do a thing learns nothing of its form.
    app.before_request_funcs[None].sort(key=lambda step: step not in (_begin, guard))
    app.before_request(_follow)
    app.before_request(_refuse_nul)
    app.after_request(_finish)
    install_limits(app, counter or settings.redis_url)
    install_formats(app)
    install_labels(app)
    install_diffs(app)
    install_errors(app, refused)
    app.context_processor(_context)
    _register(app, csrf, here)
    app.wsgi_app = DrawnPages(app, app.wsgi_app)  # type: ignore[method-assign, assignment]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        # Not the host: a proxy passes on `Host` as it came, and what else names one a visitor may have written.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    app.wsgi_app = Patience(app.wsgi_app, settings.web_threads)  # type: ignore[method-assign, assignment]
    app.wsgi_app = Front(app)  # type: ignore[method-assign]
    return app


def serve() -> Flask:
    """What `mobilizer serve` hands to the web server: the application of the settings in force."""
    settings = load_settings()
    logs.configure(settings.log_level, settings.log_format)
    return create_app(settings)


def _configure(app: Flask, here: Installation) -> None:
    https = here.settings.base_url.startswith("https://")
    app.config.update(
        SECRET_KEY=here.keyring.cookie_secret,
        SESSION_COOKIE_NAME="__Host-mobilizer" if https else "mobilizer",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=LARGEST_UPLOAD,
        LARGEST_FILM=MAX_BYTES["video"] + MEGABYTE,
        LARGEST_IMPORT=here.settings.import_bytes + MEGABYTE,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        MAX_FORM_PARTS=500,
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,
        WTF_CSRF_TIME_LIMIT=None,  # a form is good as long as its session
        HTTPS=https,
        DRAWN_SECONDS=SECONDS,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def _register(app: Flask, csrf: CSRFProtect, here: Installation) -> None:
    for blueprint in SCREENS:
        app.register_blueprint(blueprint)
    if here.settings.inbox:
        app.register_blueprint(inbox.blueprint)
    # The member's forms carry a token of their own, and a one-click unsubscribe comes without a cookie.
    csrf.exempt(public.blueprint)
    app.register_blueprint(public.blueprint)


def _context() -> dict[str, object]:
    return {
        "me": g.get("me"),
        "may": permitted,
        "has": current_app.view_functions.__contains__,
        "navigation": navigation,
        "asset": asset,
        "organisation": _settings().discreet_name if on_discreet_site() else _settings().organisation,
    }


def _settings() -> Settings:
    return installation().settings


def _begin() -> None:
    g.request_id = uuid.uuid4().hex[:16]
    g.began = time.monotonic()


def _follow() -> None:
    """Seal with the current key; where this machine lacks it, nothing is changed here until somebody brings it."""
    if request.endpoint in OPEN_ENDPOINTS:
        return
    keeping.follow(FOLLOW_SECONDS)
    here = installation()
    try:
        follow_keys(here.keyring, here.database, FOLLOW_SECONDS)
    except WrongKeys as wrong:
        structlog.get_logger("mobilizer.error").error("wrong_keys", says=str(wrong))
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            abort(503)
    except DBAPIError as error:  # what can be done without a database is done
        structlog.get_logger("mobilizer.error").error("database_unreachable", error=type(error).__name__)


def _refuse_nul() -> None:
    """Refuse the one character that no person types and PostgreSQL does not take."""
    texts = [request.path, *(text for pair in request.args.items(multi=True) for text in pair)]
    if request.blueprint not in OPEN_BLUEPRINTS:  # their forms are read value by value, a one-click body not at all
        texts += [text for pair in request.form.items(multi=True) for text in pair]
        texts += [file.filename or "" for _name, file in request.files.items(multi=True)]
    if any("\0" in text for text in texts):
        abort(400)


def _finish(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if _settings().base_url.startswith("https://"):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    response.headers["X-Request-Id"] = g.get("request_id", "")
    # The rule, not the path: paths carry tokens, and queries whatever people paste.
    structlog.get_logger("mobilizer.request").info(
        "request",
        request=g.get("request_id", ""),
        method=request.method,
        rule=request.url_rule.rule if request.url_rule else "",
        status=response.status_code,
        milliseconds=round((time.monotonic() - g.get("began", time.monotonic())) * 1000, 1),
    )
    return response
