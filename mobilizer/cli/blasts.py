"""Face: `mobilizer blasts ...`: proof, launch, status, pause, resume, cancel."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from mobilizer import jobs
from mobilizer.audience.members import Member
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import check
from mobilizer.blasts.launching import launch as launch_blast
from mobilizer.blasts.launching import seen
from mobilizer.cli import main
from mobilizer.cli.opening import opened
from mobilizer.delivery.progress import Tally, progress
from mobilizer.delivery.proof import proof_bytes
from mobilizer.installation import Installation
from mobilizer.languages import canonical, language
from mobilizer.message.compile import CompileError
from mobilizer.settings import Settings


@main.group()
def blasts() -> None:
    """Look at blasts, try them out, launch and steer them."""


@blasts.command()
@click.argument("slug")
@click.option("--language", "tag", required=True, help="Language of the proof, as es or pt-BR.")
@click.option("--member", "member_id", type=int, help="Id of a member to make it for; else someone made up.")
@click.pass_obj
def proof(settings: Settings, slug: str, tag: str, member_id: int | None) -> None:
    """Print exactly the bytes that would be sent."""
    installation = opened(settings)
    with installation.database.read() as session:
        blast = _blast(session, slug)
        member = session.get(Member, member_id) if member_id else None
        if member_id and member is None:
            raise click.ClickException(f"There is no member {member_id}.")
        try:
            content = proof_bytes(installation, session, blast, canonical(tag), member)
        except CompileError as error:
            raise click.ClickException("\n".join(p.text() for p in error.problems)) from None
        except (KeyError, ValueError) as error:
            raise click.ClickException(str(error.args[0])) from None
    sys.stdout.buffer.write(content)


@blasts.command()
@click.argument("slug")
@click.option("--people", type=int, required=True, help="How many people it goes to: the number `status` shows.")
@click.pass_obj
def launch(settings: Settings, slug: str, people: int) -> None:
    """Launch a blast whose check list has no red line."""
    installation = opened(settings)
    with installation.database.write() as session:
        blast = _blast(session, slug)
        checked = check(session, installation, blast, datetime.now(UTC).date())
        wrong = [line.problem.text() for line in checked.lines if line.level == "error"]
        if wrong:
            raise click.ClickException("Not launched:\n" + "\n".join(wrong))
        if people != checked.people:
            raise click.ClickException(f"Not launched: it goes to {checked.people} people, not {people}.")
        if not launch_blast(session, settings, blast, seen(blast)):
            raise click.ClickException(f"Not launched: it is {blast.state}.")
        blast_id = blast.id
    jobs.enqueue(installation, jobs.Work.LAUNCH, blast_id)
    click.echo("Launched.")


@blasts.command()
@click.argument("slug")
@click.pass_obj
def status(settings: Settings, slug: str) -> None:
    """Show how far a blast is, by language."""
    installation = opened(settings)
    with installation.database.read() as session:
        blast = _blast(session, slug)
        _print_status(installation, session, blast)


@blasts.command()
@click.argument("slug")
@click.pass_obj
def pause(settings: Settings, slug: str) -> None:
    """Pause a blast; it holds for every message that has not started."""
    _steer(settings, slug, lifecycle.pause, "Paused.")


@blasts.command()
@click.argument("slug")
@click.pass_obj
def resume(settings: Settings, slug: str) -> None:
    """Go on after a pause or a hold."""
    _steer(settings, slug, lifecycle.resume, "Going on.")


@blasts.command()
@click.argument("slug")
@click.confirmation_option(prompt="What has not been sent will never be. Cancel this blast?")
@click.pass_obj
def cancel(settings: Settings, slug: str) -> None:
    """Stop a blast for good."""
    _steer(settings, slug, lifecycle.cancel, "Cancelled.")


def _steer(settings: Settings, slug: str, verb: Callable[[Session, int], bool], done: str) -> None:
    with opened(settings).database.write() as session:
        blast = _blast(session, slug)
        was = blast.state
        if not verb(session, blast.id):
            raise click.ClickException(f"Nothing done: the blast is {was}.")
    click.echo(done)


def _print_status(installation: Installation, session: Session, blast: Blast) -> None:
    now = progress(session, blast)
    console = Console()
    console.print(f"[bold]{blast.slug}[/] is [bold]{now.state}[/]. {now.held_for.text() if now.held_for else ''}")
    if not now.overall.total:
        checked = check(session, installation, blast, datetime.now(UTC).date())
        console.print(f"It would go to {checked.people} people.")
        return
    table = Table("Language", "People", "Accepted", "Rejected", "Skipped", "Uncertain", "Waiting")
    for tag, tally in now.languages.items():
        table.add_row(language(tag).own_name, *_row(tally))
    table.add_row("All", *_row(now.overall), style="bold")
    console.print(table)
    console.print(f"{now.per_second:.0f} a second, {now.workers} workers alive.")


def _row(tally: Tally) -> list[str]:
    numbers = (tally.total, tally.accepted, tally.rejected, tally.skipped, tally.uncertain, tally.waiting)
    return [str(number) for number in numbers]


def _blast(session: Session, slug: str) -> Blast:
    blast = lifecycle.by_slug(session, slug)
    if blast is None:
        raise click.ClickException(f"There is no blast “{slug}”.")
    return blast
