"""Face: `mobilizer db`, the database's schema."""

from __future__ import annotations

import click
from sqlalchemy.exc import SQLAlchemyError

from mobilizer.cli import main
from mobilizer.installation import install, keyring_of
from mobilizer.migrations import is_current
from mobilizer.migrations import upgrade as bring_up
from mobilizer.settings import Settings


@main.group()
def db() -> None:
    """The database's schema."""


@db.command()
@click.pass_obj
def upgrade(settings: Settings) -> None:
    """Bring the schema up to date; nothing happens where it is. Make a backup first."""
    try:
        done = _bring_up(settings)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise click.ClickException(f"The database could not be brought up to date: {reason}") from None
    click.echo("The schema is up to date now." if done else "The schema is up to date already.")


def _bring_up(settings: Settings) -> bool:
    database = install(settings).database
    try:
        if is_current(database):
            return False
        bring_up(database)
        keyring_of(settings.home, database)  # from now on it knows them by their prints
        return True
    finally:
        database.close()
