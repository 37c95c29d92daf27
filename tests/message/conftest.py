"""How the property tests of the message craft run: no deadline, for a busy machine is not a broken program."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("message", deadline=None)
settings.load_profile("message")
