"""What the tests of the house share: an installation whose work is done by processes of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mobilizer.installation import Installation, install
from mobilizer.settings import Settings


@pytest.fixture
def here(settings: Settings, redis_url: str) -> Iterator[Installation]:
    """An installation with keys of its own, and a queue that processes take from."""
    installation = install(settings.model_copy(update={"redis_url": redis_url, "loopback_only": True}))
    yield installation
    installation.database.close()
