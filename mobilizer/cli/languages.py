"""Face: `mobilizer languages ...`: the languages that an organisation works in, and what each falls back to."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click
from rich.console import Console
from rich.table import Table

from mobilizer import tables as tables  # every mapper is complete
from mobilizer.blasts.fallbacks import Working, keep_working, working
from mobilizer.cli import main
from mobilizer.cli.opening import opened
from mobilizer.languages import fallback_chain
from mobilizer.organizers.audit import record
from mobilizer.settings import Settings


@main.group()
def languages() -> None:
    """Say in which languages you work, and what each falls back to."""


@languages.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """Print every language, where it leads, and the default."""
    with opened(settings).database.read() as session:
        said = working(session)
    default = said.default or settings.default_language
    chains = {tag: fallback_chain(tag, said.fallbacks) for tag in said.languages}
    if as_json:
        click.echo(json.dumps({"default": default, "languages": {tag: list(way) for tag, way in chains.items()}}))
        return
    table = Table("Language", "Falls back to")
    for tag, way in chains.items():
        table.add_row(tag, " → ".join(way[1:]) or "–")
    Console().print(table)
    click.echo(f"Default: {default}.")


@languages.command("set")
@click.argument("tag")
@click.argument("falls_back_to", default="")
@click.pass_obj
def set_(settings: Settings, tag: str, falls_back_to: str) -> None:
    """Work in the language TAG; it falls back to FALLS_BACK_TO, or as CLDR says."""
    _keep(settings, {tag: falls_back_to})


@languages.command()
@click.argument("tag")
@click.pass_obj
def unset(settings: Settings, tag: str) -> None:
    """Work in the language TAG no more."""
    _keep(settings, {}, without=tag)


@languages.command()
@click.argument("tag")
@click.pass_obj
def default(settings: Settings, tag: str) -> None:
    """Let TAG be where the chain of a new blast ends."""
    _keep(settings, {}, default=tag)


def _keep(settings: Settings, more: Mapping[str, str], *, without: str = "", default: str = "") -> None:
    with opened(settings).database.write() as session:
        said = working(session)
        languages = {tag: to for tag, to in {**said.languages, **more}.items() if tag != without}
        kept = default or ("" if said.default == without else said.default)
        if problems := keep_working(session, Working(languages, kept)):
            raise click.ClickException("\n".join(problem.text() for problem in problems))
        record(session, None, "languages.change", "languages")
    click.echo("Saved.")
