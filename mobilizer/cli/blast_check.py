"""Face: `mobilizer blasts check`: the check list of a blast, line by line as its page has it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table

from mobilizer.cli.naming import blast_named
from mobilizer.cli.opening import opened
from mobilizer.delivery import sender_domain
from mobilizer.segments.checking import checked
from mobilizer.settings import Settings

SHOWN = {"error": "red", "warning": "amber", "ok": "green"}  # in this order


@click.command()
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line of the list, a line each.")
@click.pass_obj
def check(settings: Settings, slug: str, as_json: bool) -> None:
    """Show what is red, amber and green before launch; exit code 1 where a red line forbids it."""
    here = opened(settings)
    with here.database.read() as session:
        found = checked(session, here, blast_named(session, slug), datetime.now(UTC).date())
        domain = sender_domain.state(session, here.settings)
    order = list(SHOWN)
    lines = [
        {
            "level": SHOWN[line.level],
            "code": line.problem.code,
            "language": line.language,
            "field": line.field,
            "text": line.problem.text(),
        }
        for line in sorted(found.lines, key=lambda line: order.index(line.level))
    ]
    if as_json:
        for line in lines:
            click.echo(json.dumps(line, ensure_ascii=False))
    else:
        table = Table("", "Language", "What")
        for line in lines:
            table.add_row(line["level"], line["language"], line["text"], style=_style(line["level"]))
        Console().print(table)
        for one in domain.findings:
            if one.level != "ok":
                click.echo(f"Publish a TXT record at {one.wanted.name}: {one.wanted.record}")
        click.echo(f"It goes to {found.people} people. {'Ready to launch.' if found.ready else 'Not ready to launch.'}")
    if not found.ready:
        raise click.exceptions.Exit(1)


def _style(level: str) -> str:
    return {"red": "bold red", "amber": "yellow"}.get(level, "")
