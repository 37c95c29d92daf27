"""Face: `mobilizer demo`, a whole organisation on this machine with one command."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mobilizer.cli import main
from mobilizer.demo import APPEAL, BLAST, EARLIER, MEMBERS
from mobilizer.demo.box import Box, NotADemo, open_box
from mobilizer.demo.logins import LOGINS, PASSWORD
from mobilizer.demo.processes import NotUp
from mobilizer.demo.running import AlreadyRunning, announce, occupy
from mobilizer.demo.supervisor import StopSign, keep_up, prepare, running, told_to_stop
from mobilizer.settings import Settings

if TYPE_CHECKING:
    from mobilizer.demo.check import Figures

USUAL_HOME = Path("var")
ENDED_BY_SIGNAL = 130
WATCHABLE = "60/s"  # else the blast would be over before anybody has found the button that pauses it
STEPS = (
    ("Look at “Love Always Wins” in five languages", f"/appeals/{APPEAL}"),
    ("Check the blast that is ready, and launch it", f"/blasts/{BLAST}/check"),
    ("See every mail arrive, in its member's language", "/inbox"),
    ("In a mail: play, share, choose a language, leave", ""),
    ("See what an earlier blast brought", f"/blasts/{EARLIER}/results"),
)


@main.command()
@click.option("--prepare", "only_prepare", is_flag=True, help="Only migrate and seed the demo's home folder.")
@click.option(
    "--check", "only_check", is_flag=True, help="Run the demo's blast without a browser and check every mail."
)
@click.option(
    "--members", type=click.IntRange(50, 2_000_000), help=f"How many members to invent.  [default: {MEMBERS}]"
)
@click.option("--json", "as_json", is_flag=True, help="With --check: print the figures as JSON only.")
@click.option("--redis-url", envvar="REDIS_URL", default="", help="A Redis-protocol server to use.  [default: our own]")
@click.pass_obj
def demo(
    settings: Settings, only_prepare: bool, only_check: bool, members: int | None, as_json: bool, redis_url: str
) -> None:
    """Start all of Mobilizer with invented members, a mail catcher, and a blast that is ready to launch.

    Nothing leaves this machine. Ctrl-C stops it; what you did stays for the next time, in var/demo.
    """
    count = members or MEMBERS
    if only_check:
        sys.exit(_check(count, redis_url, as_json))
    home = settings.home if settings.home != USUAL_HOME else USUAL_HOME / "demo"
    try:
        with occupy(home) as lock:
            box = open_box(home, redis_url)
            if only_prepare:
                box.write_settings()
                prepare(box, datetime.now(UTC), count)
                click.echo(f"The demo is prepared in {home}.")
                return
            with told_to_stop() as stop:
                announce(lock, box.address)
                _run(replace(box, rate=WATCHABLE), count, stop)
    except AlreadyRunning as other:
        where = f": {other.address}" if other.address else ", and is just starting"
        click.echo(f"A demo is running already{where}. Stop that one with Ctrl-C to start anew.")
    except NotADemo:
        raise click.ClickException(
            f"{home} holds an installation of yours; the demo would add invented members. Give another --home."
        ) from None
    except NotUp as problem:
        raise click.ClickException(str(problem)) from None


def _run(box: Box, members: int, stop: StopSign) -> None:
    console, began = Console(highlight=False), time.monotonic()
    console.print("Starting Mobilizer ...", style="dim")
    with running(box, datetime.now(UTC), members, stop) as processes:
        if not stop.told:
            _welcome(console, box, time.monotonic() - began)
        keep_up(processes, stop, lambda line: console.print(line, style="yellow", soft_wrap=True))
        console.print("\nStopping ...", style="dim")


def _welcome(console: Console, box: Box, seconds: float) -> None:
    logins = Table.grid(padding=(0, 2))
    for login in LOGINS:
        logins.add_row(f"[bold]{login.email}[/bold]", f"[dim]{login.can}[/dim]")
    steps = Table.grid(padding=(0, 1))
    for number, (what, path) in enumerate(STEPS, start=1):
        where = f"\n[cyan]{box.address}{path}[/cyan]" if path else ""
        steps.add_row(f"[bold]{number}[/bold]", f"{what}{where}")
    body = Table.grid(padding=(0, 0))
    body.add_row(f"Open [bold cyan underline]{box.address}[/]")
    body.add_row("")
    body.add_row(f"Sign in with the password [bold]{PASSWORD}[/bold] as")
    body.add_row(logins)
    body.add_row("")
    body.add_row("Try this")
    body.add_row(steps)
    console.print(Panel(body, title=f"Mobilizer is up ({seconds:.1f} s)", title_align="left", padding=(1, 2)))
    console.print(
        f"Mail goes nowhere but into the inbox. Ctrl-C stops everything. Logs: {box.log}", style="dim", soft_wrap=True
    )


def _check(members: int, redis_url: str, as_json: bool) -> int:
    """Run the check in a fresh folder that is thrown away. Returns the exit code."""
    from mobilizer.demo.check import check  # late: `mobilizer demo` starts at once without what it needs

    console = Console(stderr=True, highlight=False, quiet=as_json)
    with tempfile.TemporaryDirectory(prefix="mobilizer-check-") as folder, told_to_stop() as stop:
        box = replace(open_box(Path(folder), redis_url, usual_ports=False), undo_seconds=0)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        try:
            with Progress(*columns, console=console, transient=True) as bar:
                line = bar.add_task("Starting", total=None)
                with running(box, datetime.now(UTC), members, stop) as processes:
                    bar.update(line, description="Sending")

                    def tell(final: int, people: int) -> None:
                        processes.watch(bar.console.print)
                        bar.update(line, completed=final, total=people)
                        if stop.told:
                            raise KeyboardInterrupt

                    figures = check(box, tell)
        except NotUp as problem:
            _show_logs(box)
            raise click.ClickException(str(problem)) from None
        except KeyboardInterrupt:
            return ENDED_BY_SIGNAL
        if not figures.holds:
            _show_logs(box)
    click.echo(json.dumps(figures.as_dict()) if as_json else "")
    if not as_json:
        _show(Console(highlight=False), figures)
    return 0 if figures.holds else 1


def _show(console: Console, figures: Figures) -> None:
    table = Table.grid(padding=(0, 2))
    for name, value in figures.as_dict().items():
        table.add_row(name.replace("_", " "), str(value) if not isinstance(value, dict) else _counts(value))
    console.print(table)


def _counts(value: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(value.items()))


def _show_logs(box: Box) -> None:
    """The last words of each process: the folder is about to go."""
    for log in sorted(box.log.glob("*.log")):
        lines = [line for line in log.read_text("utf-8", "replace").splitlines() if '"level": "info"' not in line]
        for line in lines[-8:]:
            click.echo(f"{log.stem}: {line}", err=True)
