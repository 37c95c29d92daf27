"""Face: `mobilizer blasts ...`: proof, launch, pause, resume, cancel; status and decisions are beside it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from mobilizer import jobs
from mobilizer.appeals.editing import appeal_by_slug
from mobilizer.audience.members import Member
from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.launching import LONGEST_UNDO
from mobilizer.cli import main
from mobilizer.cli.blast_check import check
from mobilizer.cli.blast_decisions import leave, resend, retry, uncertain
from mobilizer.cli.blast_judging import judge
from mobilizer.cli.blast_status import status
from mobilizer.cli.blast_trial import trial, trial_options
from mobilizer.cli.blast_waves import fall_back, release
from mobilizer.cli.naming import blast_named, record_command, steer
from mobilizer.cli.opening import opened
from mobilizer.delivery.progress import progress
from mobilizer.delivery.proof import proof_bytes
from mobilizer.engagement.thanks import thanks_for
from mobilizer.languages import canonical
from mobilizer.message.compile import CompileError
from mobilizer.segments import follow_ups
from mobilizer.segments.checking import checked
from mobilizer.segments.follow_ups import FollowUp
from mobilizer.settings import Settings


@main.group()
def blasts() -> None:
    """Look at blasts, try them out, launch and steer them.

    Exit codes: 0 done; 1 nothing done, and why; 2 wrongly used, or no such blast. What changes a blast is audited.
    """


@blasts.command()
@click.argument("slug")
@click.option("--language", "tag", required=True, help="Language of the proof, as es or pt-BR.")
@click.option("--member", "member_id", type=int, help="Id of a member to make it for; else someone made up.")
@click.pass_obj
def proof(settings: Settings, slug: str, tag: str, member_id: int | None) -> None:
    """Print exactly the bytes that would be sent."""
    installation = opened(settings)
    with installation.database.read() as session:
        blast = blast_named(session, slug)
        member = session.get(Member, member_id) if member_id else None
        if member_id and member is None:
            raise click.ClickException(f"There is no member {member_id}.")
        try:
            told = thanks_for(session, blast, canonical(tag), member.id) if member else {}
            content = proof_bytes(installation, session, blast, canonical(tag), member, told)
        except CompileError as error:
            raise click.ClickException("\n".join(p.text() for p in error.problems)) from None
        except (KeyError, ValueError) as error:
            raise click.ClickException(str(error.args[0])) from None
    sys.stdout.buffer.write(content)


@blasts.command()
@click.argument("slug")
@click.option("--people", type=int, required=True, help="How many people it goes to: the number `status` shows.")
@click.option(
    "--hold",
    type=click.FloatRange(0, LONGEST_UNDO),
    help="How many seconds it can be undone, with `undo`; 0: not at all. Else as MOBILIZER_UNDO_SECONDS says.",
)
@trial_options
@click.pass_obj
def launch(
    settings: Settings, slug: str, people: int, hold: float | None, sample: int | None, goal: str, hours: int
) -> None:
    """Launch a blast whose check list has no red line.

    With --try each variant of a language goes to so many of its people first; the others wait for the best one, until
    `release` or --after chooses it.

    Where every launch needs two (MOBILIZER_LAUNCH_BY_TWO) an organizer has to confirm it on its page.
    """
    hold_seconds = settings.undo_seconds if hold is None else hold
    installation = opened(settings)
    with installation.database.write() as session:
        blast = blast_named(session, slug)
        found = checked(session, installation, blast, datetime.now(UTC).date())
        wrong = [line.problem.text() for line in found.lines if line.level == "error"]
        if wrong:
            raise click.ClickException("Not launched:\n" + "\n".join(wrong))
        if people != found.people:
            raise click.ClickException(f"Not launched: it goes to {found.people} people, not {people}.")
        departure = trial(blast, found, sample, goal, hours)
        if settings.launch_by_two:
            done, verb = launching.ask(session, blast, launching.seen(blast), None), "ask"
        else:
            done = launching.launch(session, settings, blast, launching.seen(blast), hold_seconds)
            verb = "launch"
        if not done:
            raise click.ClickException(f"Not launched: it is {blast.state}.")
        session.refresh(blast)
        launching.depart(blast, departure)
        blast_id = blast.id
        record_command(session, verb, blast_id)
    if settings.launch_by_two:
        click.echo("Asked: it leaves when an organizer has confirmed it.")
    elif hold_seconds:
        click.echo(f"Launched: it leaves in {hold_seconds:.0f} seconds. Until then: mobilizer blasts undo {slug}")
    else:
        jobs.enqueue(installation, jobs.Work.LAUNCH, blast_id)
        click.echo("Launched.")


@blasts.command()
@click.argument("slug")
@click.pass_obj
def undo(settings: Settings, slug: str) -> None:
    """Take back a launch that has not left yet: the blast is a draft again."""
    steer(opened(settings), slug, "undo", launching.undo)
    click.echo("Undone.")


@blasts.command()
@click.argument("slug")
@click.pass_obj
def pause(settings: Settings, slug: str) -> None:
    """Pause a blast; it holds for every message that has not started."""
    steer(opened(settings), slug, "pause", lifecycle.pause)
    click.echo("Paused.")


@blasts.command()
@click.argument("slug")
@click.pass_obj
def resume(settings: Settings, slug: str) -> None:
    """Go on after a pause or a hold."""
    steer(opened(settings), slug, "resume", lifecycle.resume)
    click.echo("Going on.")


@blasts.command()
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.pass_obj
def cancel(settings: Settings, slug: str, yes: bool) -> None:
    """Stop a blast for good."""
    here = opened(settings)
    if not yes:
        with here.database.read() as session:
            now = progress(session, blast_named(session, slug)).overall
        never = f"{now.waiting} people have not been mailed and never will be; {now.accepted} mails were accepted."
        click.confirm(f"{never} Cancel this blast for good?", abort=True)
    steer(here, slug, "cancel", lifecycle.cancel)
    click.echo("Cancelled.")


@blasts.command("follow-up")
@click.argument("slug")
@click.option(
    "--to",
    "kind",
    type=click.Choice([one.value for one in FollowUp]),
    required=True,
    help="Whom of the blast's people it is for.",
)
@click.option("--appeal", "appeal_slug", help="What is sent; else the appeal of the blast.")
@click.pass_obj
def follow_up(settings: Settings, slug: str, kind: str, appeal_slug: str | None) -> None:
    """Make a draft for who did not open a blast, watched and did not share it, or shared it; nobody gets two."""
    with opened(settings).database.write() as session:
        blast = blast_named(session, slug)
        appeal = appeal_by_slug(session, appeal_slug) if appeal_slug else blast.appeal
        if appeal is None:
            raise click.BadParameter(f"there is no appeal “{appeal_slug}”.", param_hint="--appeal")
        for problem in follow_ups.refused(blast):
            raise click.ClickException(problem.text())
        made = follow_ups.draft(session, blast, FollowUp(kind), appeal)
        record_command(session, "create", made.id, follows=blast.id)
        made_slug = made.slug
    click.echo(f"Made the draft {made_slug}.")


for command in (check, status, retry, uncertain, leave, resend, release, fall_back, judge):
    blasts.add_command(command)
