"""Face: `mobilizer keys ...`: a new key, everything under it, the old one away."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from mobilizer import tables as tables  # every mapper is complete
from mobilizer.cli import main
from mobilizer.cli.opening import opened
from mobilizer.cli.underway import bar, stoppable
from mobilizer.custody import rotating
from mobilizer.custody.resealing import CHUNK, left_to_reseal
from mobilizer.custody.resealing import reseal as resealing
from mobilizer.installation import Installation
from mobilizer.settings import Settings

SAVE = """\
Now copy {path} to where you keep its backup. Without it nobody can read
what is written from now on. The copy from before still opens older backups of the database: keep both."""


@main.group()
def keys() -> None:
    """The keys that names and addresses are sealed with: list, rotate, retire."""


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """List the keys and how many values each one seals."""
    found = rotating.keys_of(opened(settings))
    if as_json:
        click.echo(json.dumps([asdict(key) for key in found], default=str))
        return
    table = Table("Key", "State", "Since", "Sealed")
    for key in found:
        table.add_row(str(key.key_id), key.state, f"{key.since:%F %H:%M} UTC" if key.since else "", str(key.sealed))
    Console().print(table)


@keys.command()
@click.pass_obj
def add(settings: Settings) -> None:
    """Make a key that waits in keys.json: to bring it to all machines, and into the backup, before it seals."""
    installation = opened(settings)
    key_id = rotating.add_key(installation)
    click.echo(f"Key {key_id} waits. Nothing is sealed with it before mobilizer keys rotate.")
    click.echo(SAVE.format(path=settings.home / "keys.json"))
    click.echo("Bring it to every machine, too.")


@keys.command()
@click.pass_obj
def rotate(settings: Settings) -> None:
    """Seal with the key that waits from now on, or with a new one. Everything may go on meanwhile."""
    key_id = rotating.rotate(opened(settings))
    click.echo(f"Key {key_id} seals from now on.")
    click.echo(SAVE.format(path=settings.home / "keys.json"))
    click.echo("A machine without this keys.json does nothing until it has it.")
    click.echo("Then bring everything under the new key: mobilizer keys reseal")


@keys.command()
@click.option("--at-once", type=click.IntRange(1, 100_000), default=CHUNK, show_default=True, help="Values a commit.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_obj
def reseal(settings: Settings, at_once: int, as_json: bool) -> None:
    """Bring everything under the current key, while blasts are sent. Stopped or killed, run it again: it goes on."""
    installation = opened(settings)
    done, broken = _reseal(installation, at_once, quiet=as_json)
    left = {place: count for place, count in left_to_reseal(installation).items() if count}
    if as_json:
        click.echo(json.dumps({"key": installation.keyring.current, "resealed": done, "broken": broken, "left": left}))
    else:
        click.echo(f"{done} values were resealed with key {installation.keyring.current}.")
    if broken:
        raise click.ClickException(f"{broken} values can't be opened with any key; they stay as they are.")
    if left:
        raise click.ClickException("Some were sealed with the old key meanwhile, or you stopped: run it again.")


@keys.command()
@click.argument("key", type=click.IntRange(1, 255))
@click.pass_obj
def retire(settings: Settings, key: int) -> None:
    """Take KEY out of keys.json, once nothing is sealed with it. Links in old mails work on, for ever."""
    try:
        rotating.retire(opened(settings), key)
    except rotating.KeyInUse as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Key {key} is retired: it opens nothing any more, and still verifies its links.")
    click.echo("Backups of the database from before the reseal need the old keys.json: destroy both together.")


def _reseal(installation: Installation, size: int, *, quiet: bool) -> tuple[int, int]:
    """(resealed, broken); Ctrl-C lets the present chunk be written."""
    left, told = left_to_reseal(installation), Counter[str]()
    with bar(quiet=quiet) as shown, stoppable() as stop:
        tasks = {place: shown.add_task(place, total=count) for place, count in left.items() if count}
        for step in resealing(installation, size):
            told.update(values=step.values, broken=step.broken)
            if step.place in tasks:
                shown.advance(tasks[step.place], step.values + step.broken)
            if stop.is_set():
                break
    return told["values"], told["broken"]
