"""Face: `mobilizer doctor`, what is missing here, in one screen, with the fix."""

from __future__ import annotations

import sys

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mobilizer.cli import main
from mobilizer.cli.findings import findings
from mobilizer.settings import Settings

SIGNS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "missing": ("✗", "red")}


@main.command()
@click.pass_obj
def doctor(settings: Settings) -> None:
    """Look at everything that sending needs, and say how to mend what is missing. Changes nothing."""
    found = list(findings(settings))
    table = Table.grid(padding=(0, 2))
    for finding in found:
        sign, colour = SIGNS[finding.level]
        words = Text(finding.says)
        if finding.fix:
            words.append(f"\n→ {finding.fix}", style=colour)
        table.add_row(Text(sign, style=f"bold {colour}"), Text(finding.about, style="bold"), words)
    Console(highlight=False).print(table)
    missing = sum(finding.level == "missing" for finding in found)
    click.echo("\nEverything that is needed is here." if not missing else f"\n{missing} to mend.")
    sys.exit(1 if missing else 0)
