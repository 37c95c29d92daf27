"""Face: the installation behind a command, closed when the command ends."""

from __future__ import annotations

import click

from mobilizer.installation import Installation, install
from mobilizer.settings import Settings


def opened(settings: Settings) -> Installation:
    """The installation that a command works on; its connections are closed with the command."""
    installation = install(settings)
    click.get_current_context().call_on_close(installation.database.close)
    return installation
