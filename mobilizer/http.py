"""Faces: what all of them share. The installation behind a request, and the request's words."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from babel.support import NullTranslations
from flask import current_app, g, request
from jinja2 import Environment

from mobilizer.catalogs import phrases
from mobilizer.installation import Installation
from mobilizer.settings import Settings

EXTENSION = "mobilizer"
_PORT = re.compile(r"\.?(:[0-9]*)?$")  # and the dot that ends a whole name


def installation() -> Installation:
    """The installation that this request works on."""
    found: Installation = current_app.extensions[EXTENSION]
    return found


def on_discreet_site() -> bool:
    """Whether this request is to the domain of discreet blasts, which must not say whose it is."""
    return is_discreet(installation().settings, request.host)


def is_discreet(settings: Settings, host: str) -> bool:
    """Whether a `Host` is the domain of discreet blasts, at whatever port somebody asks for it; where both sites have
    one domain (on one's own machine), their ports tell them apart."""
    hidden, usual = urlsplit(settings.discreet_base_url.lower()), urlsplit(settings.base_url.lower())
    if hidden.hostname == usual.hostname:
        return host.lower() == hidden.netloc != usual.netloc
    return _PORT.sub("", host.lower()) == hidden.hostname


def speak(domain: str, language: str) -> None:
    """Let this request's templates and `words()` speak a language from a catalog ('web' or 'member')."""
    g.language = language
    g.words = phrases(domain, language)


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
