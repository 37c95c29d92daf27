"""Face: `mobilizer users ...`: the first administrator, who invites everyone else in the browser, and a way back in."""

from __future__ import annotations

import click

from mobilizer import tables as tables  # every mapper is complete
from mobilizer.cli import main
from mobilizer.cli.opening import opened
from mobilizer.installation import Installation
from mobilizer.organizers.accounts import change_password, create_user, user_of
from mobilizer.organizers.audit import record
from mobilizer.organizers.factors import end_factor
from mobilizer.organizers.first_run import code_of, nobody_yet
from mobilizer.organizers.policy import Role
from mobilizer.settings import Settings


def invited_first(installation: Installation) -> str:
    """What to do where nobody can sign in yet."""
    return f"Open {installation.settings.base_url}/set-up and give this code: {code_of(installation.keyring)}"


@main.group()
def users() -> None:
    """Who may sign in."""


@users.command()
@click.argument("address")
@click.option("--name", default="", help="How the pages call them.  [default: the part before the @]")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.ADMIN.value, show_default=True)
@click.pass_obj
def add(settings: Settings, address: str, name: str, role: str) -> None:
    """Let ADDRESS sign in. The password is asked for, so that no list of processes shows it."""
    installation = opened(settings)
    password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with installation.database.write() as session:
        made = create_user(
            session,
            installation.keyring,
            email=address,
            name=name or address.partition("@")[0],
            role=Role(role),
            password=password,
        )
        if isinstance(made, list):
            raise click.ClickException("\n".join(problem.text() for problem in made))
        record(session, None, "user.create", f"user:{made.id}", role=role)
    click.echo(f"They may sign in at {settings.base_url}/sign-in.")


@users.command()
@click.pass_obj
def code(settings: Settings) -> None:
    """Print the code that lets the first administrator in, while nobody is here."""
    installation = opened(settings)
    with installation.database.read() as session:
        empty = nobody_yet(session)
    if not empty:
        raise click.ClickException("Somebody is here already: they invite others at Settings, Users.")
    click.echo(invited_first(installation))


@users.command()
@click.argument("address")
@click.pass_obj
def reset(settings: Settings, address: str) -> None:
    """Let ADDRESS in again, who is locked out: a new password, no second factor, signed out everywhere."""
    installation = opened(settings)
    password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with installation.database.write() as session:
        user = user_of(session, installation.keyring, address)
        if user is None:
            raise click.ClickException("Nobody signs in with this address.")
        problems = change_password(session, user, password)
        if problems:
            raise click.ClickException("\n".join(problem.text() for problem in problems))
        end_factor(session, user)
        record(session, None, "user.reset", f"user:{user.id}", by="command line")
    click.echo("They may sign in with the new password.")
