"""Faces: what all of them share. The installation behind a request, and the request's words."""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from babel.support import NullTranslations
from flask import current_app, g, request
from jinja2 import Environment

from mobilizer.catalogs import phrases
from mobilizer.db import disk_is_full
from mobilizer.installation import Installation

EXTENSION = "mobilizer"


def installation() -> Installation:
    """The installation that this request works on."""
    found: Installation = current_app.extensions[EXTENSION]
    return found


def on_discreet_site() -> bool:
    """Whether this request is to the domain of discreet blasts, which must not say whose it is."""
    settings = installation().settings
    host = urlsplit(settings.discreet_base_url).netloc.lower()
    return request.host.lower().rstrip(".") == host != urlsplit(settings.base_url).netloc.lower()


def speak(domain: str, language: str) -> None:
    """Let this request's templates and `words()` speak a language from a catalog ('web' or 'member')."""
    g.language = language
    g.words = phrases(domain, language)


def note_failure(error: Exception) -> bool:
    """Log what broke while a request was answered; whether a disk is full. The last line of a traceback could hold what
    a member typed: the kind of error and its place are enough."""
    log, request_id = structlog.get_logger("mobilizer.error"), g.get("request_id", "")
    full = disk_is_full(error)
    if full:
        log.error("disk_full", request=request_id)
    else:
        log.error("request failed", request=request_id, kind=type(error).__name__, exc_info=error)
    return full


def words() -> NullTranslations:
    """The catalog of this request; English before `speak` was called."""
    found: NullTranslations = g.get("words") or NullTranslations()
    return found


def install_words(environment: Environment) -> None:
    """Give templates `_`, `gettext`, `ngettext`, `pgettext` that follow `speak`."""
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: words().gettext(text),
        lambda one, many, n: words().ngettext(one, many, n),
        newstyle=True,
        pgettext=lambda context, text: words().pgettext(context, text),
        npgettext=lambda context, one, many, n: words().npgettext(context, one, many, n),
    )
