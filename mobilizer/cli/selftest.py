"""Face: `mobilizer selftest`, the proof of the sending promise on an operator's own set-up."""

from __future__ import annotations

import json
import secrets
import signal
import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mobilizer.bench.grounds import NoGround
from mobilizer.cli import main
from mobilizer.demo.processes import NotUp
from mobilizer.demo.supervisor import told_to_stop
from mobilizer.settings import Settings

if TYPE_CHECKING:
    from mobilizer.selftest.running import Figures

ENDED_BY_SIGNAL = 130
SEEDS = 1_000_000


@main.group()
def selftest() -> None:
    """Prove on this machine that nobody is skipped and nobody gets a blast twice, whatever goes wrong."""
    # Started behind a shell's back (&), this process would be deaf to the signal that we say stops it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@selftest.command()
@click.option("--database", default="", help="A server to make a fresh database on.  [default: the configured one]")
@click.option("--messages", type=click.IntRange(60, 1_000_000), default=5000, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(0), help="What goes wrong, and when.  [default: a new one each time]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON only.")
@click.pass_obj
def send(settings: Settings, database: str, messages: int, seed: int | None, as_json: bool) -> None:
    """Send a blast while everything goes wrong, then check the books.

    It makes an installation of its own that is thrown away: on PostgreSQL a fresh database on the server that is
    configured or named, else a SQLite file; its own relay that misbehaves; its own Redis-protocol server, for that one
    is emptied and killed on the way: the one in REDIS_URL is never touched. Its workers are killed at every point where
    a crash could hurt, stopped, and cut off from the database; the clock jumps, the disk is full, the blast is paused.
    What would take hours of waiting is moved to now.

    Ends with 0 if every promise held, with 1 and what is wrong otherwise.
    """
    from mobilizer.selftest.campaign import Stopped  # late: other commands start at once without what this needs
    from mobilizer.selftest.running import selftest as run

    seed = secrets.randbelow(SEEDS) if seed is None else seed
    console = Console(stderr=True, highlight=False, quiet=as_json)
    console.print(f"Seed {seed}. Nothing of yours is touched; Ctrl-C stops it.", style="dim")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # No thread draws: processes are forked from this one's helper, and it must be plain.
    with told_to_stop() as stop, Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        line = bar.add_task("Making people", total=messages)

        def tell(what: str, final: int) -> None:
            bar.update(line, completed=final, **({"description": what} if what else {}))  # type: ignore[arg-type]
            bar.refresh()

        try:
            figures = run(database or _configured(settings), messages, seed, stop, tell)
        except Stopped:
            sys.exit(ENDED_BY_SIGNAL)
        except (NoGround, NotUp) as problem:
            raise click.ClickException(str(problem)) from None
    if as_json:
        click.echo(json.dumps(figures.as_dict()))
    else:
        _show(Console(highlight=False), figures)
    sys.exit(1 if figures.wrong else 0)


def _configured(settings: Settings) -> str:
    """The operator's own server, where there is one; a SQLite file is made anew elsewhere."""
    return settings.database_url if settings.database.startswith("postgresql") else ""


def _show(console: Console, figures: Figures) -> None:
    table = Table.grid(padding=(0, 2))
    for name, value in figures.as_dict().items():
        if name not in ("ok", "wrong"):
            words = (
                ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else str(value)
            )
            table.add_row(name.replace("_", " "), words)
    console.print(table)
    for sentence in figures.wrong:
        console.print(f"✗ {sentence}", style="bold red")
    if not figures.wrong:
        console.print("✓ Every promise held.", style="bold green")
