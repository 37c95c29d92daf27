"""Face: `mobilizer bench`, how fast the real thing is on this machine."""

from __future__ import annotations

from typing import Any

import click

from mobilizer.bench.plan import Plan
from mobilizer.cli import main


@main.group()
def bench() -> None:
    """Measure on this machine, in a throw-away installation of its own."""


@bench.command()
@click.option("--messages", type=click.IntRange(1, 10_000_000), default=50_000, show_default=True, help="How many.")
@click.option("--sign", type=click.Choice(["none", "rsa"]), default="none", show_default=True, help="Sign each (DKIM).")
@click.option("--database", default="", help="A server to make a fresh database on.  [default: a fresh SQLite file]")
@click.option("--connections", type=click.IntRange(1, 100), default=50, show_default=True, help="SMTP connections.")
@click.option("--sink", default="", metavar="HOST:PORT", help="A sink that runs already.  [default: our own]")
@click.option("--rtt-ms", type=click.FloatRange(0, 10_000), default=0, help="Round trip that our own sink pretends.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Senders side by side.")
@click.option("--profile/--no-profile", default=True, help="Say what takes the time.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON only.")
def send(as_json: bool, **wanted: Any) -> None:
    """Send a whole blast to a sink with the real engine, check the books, and say what a message costs."""
    plan = Plan(**wanted)
    raise click.ClickException(f"{plan.messages} messages: not built yet{'' if as_json else '.'}")
