"""Face: the installation behind a command, there before it starts and closed when it ends."""

from __future__ import annotations

import click

from mobilizer.cli.storage import storage
from mobilizer.db import Database
from mobilizer.installation import Installation, WrongKeys, install
from mobilizer.keys import NoKeys
from mobilizer.settings import Settings


def opened(settings: Settings) -> Installation:
    """The installation that a command works on; its connections are closed with the command.

    Ends the command with one line, and makes nothing, where there is no database or it is not up to date.
    """
    refuse_unready(settings)
    try:
        installation = install(settings)
    except (NoKeys, WrongKeys) as wrong:
        raise click.ClickException(str(wrong)) from None
    click.get_current_context().call_on_close(installation.database.close)
    return installation


def refuse_unready(settings: Settings) -> None:
    """End the command with what is wrong with the database and how to mend it, if anything is."""
    database = Database(settings.database)
    try:
        wrong = next((finding for finding in storage(database) if finding.level == "missing"), None)
    finally:
        database.close()
    if wrong is not None:
        home = "" if settings.database_url else f" of {settings.home} (say another with --home)"
        raise click.ClickException(f"{wrong.about}{home}: {wrong.says}. Fix: {wrong.fix}")
