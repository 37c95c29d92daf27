"""Web: settings that are chosen in the browser. They are kept in the home folder, where every process finds them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from flask import current_app
from pydantic import ValidationError

from mobilizer.http import EXTENSION, installation
from mobilizer.installation import follow_settings
from mobilizer.settings import Settings, keep_settings, set_outside

FOLLOWED = "mobilizer_followed"  # when this process last looked


def keep(values: Mapping[str, object]) -> list[str]:
    """Keep some settings, from now on in force here. Returns the names of those that can't be as they are said; nothing
    is kept then. What the environment sets is left as it is."""
    here = installation()
    mine = {name: _tidy(value) for name, value in values.items() if not set_outside(name)}
    try:
        settings = keep_settings(here.settings, mine)
    except ValidationError as error:
        return [str(one["loc"][0]) for one in error.errors()]
    current_app.extensions[EXTENSION] = replace(here, settings=settings)
    return []


def follow(every: float) -> None:
    """Let this process go by what another one has kept meanwhile; asked at most once in `every` seconds."""
    now = time.monotonic()
    if now - current_app.extensions.get(FOLLOWED, 0.0) >= every:
        current_app.extensions |= {FOLLOWED: now, EXTENSION: follow_settings(installation())}


def lacks_sender(settings: Settings) -> bool:
    """Whether mail would leave without a postal address, or from an address that is nobody's."""
    return not settings.postal_address or settings.sender_domain.endswith(("localhost", "localdomain"))


def _tidy(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value
