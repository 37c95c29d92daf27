"""Face: `mobilizer bench`, how fast the real thing is on this machine."""

from __future__ import annotations

import json
import signal
from contextlib import closing
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mobilizer import logs
from mobilizer.bench.plan import Plan
from mobilizer.cli import main


@main.group()
def bench() -> None:
    """Measure on this machine, in a throw-away installation of its own."""
    # Told to stop in either way, a run clears away what it made.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


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
    from mobilizer.bench import grounds, processes, sending  # late: the options show at once

    plan = Plan(**wanted)
    console = Console(stderr=True, highlight=False, quiet=as_json)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as bar:
            line = bar.add_task("Starting", total=plan.messages)

            def watch(stage: str, done: int) -> None:
                bar.update(line, description=stage, completed=done)

            figures = sending.run(plan, None if as_json else watch)
    except (grounds.NoGround, processes.Broken) as problem:
        raise click.ClickException(str(problem)) from None
    _show(figures.as_dict(), as_json)
    if not figures.books:
        raise click.ClickException("The books don't agree: these figures mean nothing.")


@bench.command()
@click.option("--deliveries", type=click.IntRange(1, 100_000_000), default=1_000_000, show_default=True, help="About.")
@click.option("--database", default="", help="A server to make a fresh database on.  [default: a fresh SQLite file]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON only.")
def freeze(deliveries: int, database: str, as_json: bool) -> None:
    """Freeze the audience of a launch, and say how fast: one row a member, with language and batch."""
    from mobilizer.bench import freezing, grounds
    from mobilizer.installation import install
    from mobilizer.migrations import upgrade

    console = Console(stderr=True, highlight=False, quiet=as_json)
    try:
        with grounds.ground(database) as where, console.status("Inventing an audience, and freezing it"):
            installation = install(where.settings())
            with closing(installation.database):
                upgrade(installation.database)
                [frozen] = freezing.bench_freeze(installation, deliveries)
    except grounds.NoGround as problem:
        raise click.ClickException(str(problem)) from None
    _show(asdict(frozen), as_json)


@bench.command()
@click.option("--members", type=click.IntRange(1000, 100_000_000), default=1_000_000, show_default=True, help="Many.")
@click.option("--database", default="", help="A server to make a fresh database on.  [default: a fresh SQLite file]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON only.")
def audience(members: int, database: str, as_json: bool) -> None:
    """Ask what organizers ask of many members: counts, segments, pages, the overview, a launch in one language."""
    from mobilizer.bench import audience as measured
    from mobilizer.bench import grounds
    from mobilizer.installation import install
    from mobilizer.migrations import upgrade

    console = Console(stderr=True, highlight=False, quiet=as_json)
    try:
        with grounds.ground(database) as where, console.status("Starting") as status:
            installation = install(where.settings())
            with closing(installation.database):
                logs.configure(installation.settings.log_level)
                upgrade(installation.database)
                figures = measured.run(installation, members, status.update)
    except grounds.NoGround as problem:
        raise click.ClickException(str(problem)) from None
    _show(asdict(figures), as_json)
    if figures.disagree:
        raise click.ClickException(f"The books don't agree, so these mean nothing: {', '.join(figures.disagree)}.")


@bench.command()
@click.option("--members", type=click.IntRange(100, 10_000_000), default=1_000_000, show_default=True, help="How many.")
@click.option("--database", default="", help="A server to make a fresh database on.  [default: a fresh SQLite file]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON only.")
def sharing(members: int, database: str, as_json: bool) -> None:
    """Ask for the share tree of so many members, and hold it against a plain simulation of who brought whom."""
    from mobilizer.bench import grounds
    from mobilizer.bench import sharing as measured
    from mobilizer.installation import install
    from mobilizer.migrations import upgrade

    console = Console(stderr=True, highlight=False, quiet=as_json)
    try:
        with grounds.ground(database) as where, console.status("Starting") as status:
            installation = install(where.settings())
            with closing(installation.database):
                upgrade(installation.database)
                figures = measured.run(installation, members, status.update)
    except grounds.NoGround as problem:
        raise click.ClickException(str(problem)) from None
    _show(asdict(figures), as_json)
    if not figures.books:
        raise click.ClickException("The books don't agree: these figures mean nothing.")


@bench.command()
@click.option("--hits", type=click.IntRange(100, 10_000_000), default=200_000, show_default=True, help="How many.")
@click.option("--members", type=click.IntRange(10, 1_000_000), default=20_000, show_default=True, help="Of a blast.")
@click.option("--connections", type=click.IntRange(1, 1000), default=64, show_default=True, help="That stay open.")
@click.option("--database", default="", help="A server to make a fresh database on.  [default: a fresh SQLite file]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON only.")
def hits(hits: int, members: int, connections: int, database: str, as_json: bool) -> None:
    """Open and click the mails of a blast over HTTP, with recording on, and say what a hit costs the web server."""
    from mobilizer.bench import grounds, processes
    from mobilizer.bench import hits as measured

    console = Console(stderr=True, highlight=False, quiet=as_json)
    try:
        with grounds.ground(database) as where, console.status("Starting") as status:
            figures = measured.run(where, hits, members, connections, status.update)
    except (grounds.NoGround, processes.Broken) as problem:
        raise click.ClickException(str(problem)) from None
    _show(asdict(figures), as_json)
    if not figures.books:
        raise click.ClickException("The books don't agree: these figures mean nothing.")


@bench.command()
@click.option("--hits", type=click.IntRange(100, 10_000_000), default=100_000, show_default=True, help="How many.")
@click.option("--connections", type=click.IntRange(1, 1000), default=64, show_default=True, help="That stay open.")
@click.option("--database", default="", help="A server to make a fresh database on.  [default: a fresh SQLite file]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON only.")
def flood(hits: int, connections: int, database: str, as_json: bool) -> None:
    """Come by one share code that was posted publicly, over HTTP, and say what that leaves behind."""
    from mobilizer.bench import flooding, grounds, processes

    console = Console(stderr=True, highlight=False, quiet=as_json)
    try:
        with grounds.ground(database) as where, console.status("Starting") as status:
            figures = flooding.run(where, hits, connections, status.update)
    except (grounds.NoGround, processes.Broken) as problem:
        raise click.ClickException(str(problem)) from None
    _show(asdict(figures), as_json)
    if not figures.books:
        raise click.ClickException("The books don't agree: these figures mean nothing.")


@bench.command()
@click.option("--pages", type=click.IntRange(100, 1_000_000), default=20_000, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON only.")
def watch(pages: int, as_json: bool) -> None:
    """Ask for watch pages, and say how many a core answers; the web server's own part is not in it."""
    from mobilizer.bench import grounds, watching
    from mobilizer.installation import install
    from mobilizer.migrations import upgrade

    with grounds.ground("") as where:
        installation = install(where.settings())
        with closing(installation.database):
            logs.configure(installation.settings.log_level)
            upgrade(installation.database)
            figures = watching.run(installation, pages)
    _show(asdict(figures), as_json)
    if not figures.books:
        raise click.ClickException("The books don't agree: these figures mean nothing.")


@bench.command()
@click.option("--each", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Traces of each kind.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON only.")
def machines(each: int, as_json: bool) -> None:
    """Judge invented traces of people and of gateways, and say how often the rules about machines are right."""
    from mobilizer.bench import judging

    _show(asdict(judging.run(each)), as_json)


@bench.command("import")
@click.option("--rows", type=click.IntRange(1, 1_200_000), default=100_000, show_default=True, help="How many.")
@click.option("--database", default="", help="A server to make a fresh database on.  [default: a fresh SQLite file]")
@click.option("--profile/--no-profile", default=True, help="Say what takes the time.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON only.")
def import_(rows: int, database: str, profile: bool, as_json: bool) -> None:
    """Import a petition's file with the real job, then the same file again, and say what a row costs."""
    from mobilizer.bench import grounds, importing, processes

    console = Console(stderr=True, highlight=False, quiet=as_json)
    try:
        with console.status("Starting") as status:
            figures = importing.run(rows, database, profile=profile, watch=status.update)
    except (grounds.NoGround, processes.Broken) as problem:
        raise click.ClickException(str(problem)) from None
    _show(figures, as_json)
    if not figures["books"]:
        raise click.ClickException("The books don't agree: these figures mean nothing.")


def _show(figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(figures))
        return
    table = Table.grid(padding=(0, 2))
    for name, value in figures.items():
        parts = value.items() if isinstance(value, dict) else ()
        table.add_row(name.replace("_", " "), "" if parts else str(value))
        for part, one in parts:
            table.add_row(f"  {part.replace('_', ' ')}", str(one))
    Console(highlight=False).print(table)
