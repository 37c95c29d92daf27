"""Face: `mobilizer members leaving`, why people left, in sums."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.table import Table

from mobilizer.audience.leaving_reasons import sums
from mobilizer.cli.opening import opened
from mobilizer.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the sums as JSON.")
@click.pass_obj
def leaving(settings: Settings, as_json: bool) -> None:
    """Print how many members gave which reason for leaving. What they wrote is on the page of the members only."""
    installation = opened(settings)
    with installation.database.read() as session:
        counted = {choice or "own_words_only": people for choice, people in sums(session).items()}
    if as_json:
        click.echo(json.dumps(counted))
        return
    table = Table("Reason", "People")
    for reason, people in counted.items():
        table.add_row(reason, str(people))
    Console().print(table)
