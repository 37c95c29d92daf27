"""What tests of custody share: an installation with its keys in a file, as it really is, and members in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mobilizer.installation import Installation, install
from mobilizer.settings import Settings
from tests.worlds import World


@pytest.fixture
def here(settings: Settings) -> Iterator[Installation]:
    """An installation whose keys lie in its home folder."""
    installation = install(settings)
    yield installation
    installation.database.close()


@pytest.fixture
def kept(here: Installation) -> World:
    """A list with seven members."""
    world = World(here)
    world.make_list()
    world.join(["en", "es"] * 3 + ["ar"])
    return world
