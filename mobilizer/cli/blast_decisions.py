"""Face: `mobilizer blasts retry | uncertain | leave | resend`: what only a person may decide, at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from mobilizer.cli.blast_status import causes_table, status_of
from mobilizer.cli.naming import blast_named, record_command
from mobilizer.cli.opening import opened
from mobilizer.delivery import causes, decisions, evidence
from mobilizer.delivery.causes import Cause, Kind
from mobilizer.delivery.decisions import Which
from mobilizer.installation import Installation
from mobilizer.settings import Settings

Choose = Callable[..., Any]


class CausePath(click.ParamType[Cause]):
    """A cause as `status` names it."""

    name = "cause"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Cause:
        try:
            return value if isinstance(value, Cause) else Cause.parse(value)
        except ValueError:
            self.fail(
                f"“{value}” is no cause: `status` names them, like deferred/rate/421 or rejected/full.", param, ctx
            )


@click.command()
@click.argument("slug")
@click.option("--cause", type=CausePath(), default="deferred", show_default=True, help="Which, as `status` names them.")
@click.option("--dry-run", is_flag=True, help="Only say how many it would be.")
@click.pass_obj
def retry(settings: Settings, slug: str, cause: Cause, dry_run: bool) -> None:
    """Try now what waits for another try, or was refused for a cause that is mended.

    A shorter path names more: “rejected/full” is every full mailbox. Nobody gets a mail twice by it.
    """
    here = opened(settings)
    if dry_run:
        with here.database.read() as session:
            count = causes.count(session, blast_named(session, slug).id, cause)
        now = status_of(here, slug)
        Console().print(causes_table("Causes", [cause for kind in Kind for cause in now["causes"][kind]]))
        click.echo(f"It would be {count} mails.")
        return
    with here.database.write() as session:
        blast = blast_named(session, slug)
        blast_id, was = blast.id, blast.state
        count = decisions.retry(session, blast_id, cause)
        if not count:
            raise click.ClickException(f"Nothing done: no mail of this cause, and the blast is {was}.")
        record_command(session, "retry", blast_id, cause=cause.key, count=count)
    click.echo(f"{count} mails are tried again {'when the blast goes on' if was in decisions.STANDS_STILL else 'now'}.")


@click.command()
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a mail, a line each.")
@click.pass_obj
def uncertain(settings: Settings, slug: str, as_json: bool) -> None:
    """List the mails of which nobody here can say whether they arrived, with what to look for in the relay's log."""
    here = opened(settings)
    lines = _evidence(here, slug)
    if as_json:
        for line in lines:
            click.echo(json.dumps(line))
        return
    table = Table("Mail", "Member", "Found", "Relay", "Worker", "Batch", "Reason", "Message-ID")
    for line in lines:
        table.add_row(*(str(line[name] or "–") for name in _COLUMNS))
    if lines:
        Console().print(table)
    click.echo(f"{len(lines)} wait for a decision: leave, or resend.")


def _choice(command: Choose) -> Choose:
    """The options that say which mails a decision is about."""
    for option in (
        click.option("--all", "everything", is_flag=True, help="Every mail that waits for a decision."),
        click.option("--reason", help="Those of a reason, as `uncertain` shows it."),
        click.option("--mail", type=click.IntRange(1), help="One, by its number in `uncertain`."),
        click.argument("slug"),
    ):
        command = option(command)
    return command


@click.command()
@_choice
@click.pass_obj
def leave(settings: Settings, slug: str, mail: int | None, reason: str | None, everything: bool) -> None:
    """Let uncertain mails be as they are: nothing more is sent, and nobody is asked again."""
    count, _was = _decide(opened(settings), slug, "leave", _which(mail, reason, everything))
    click.echo(f"{count} mails are left as they are.")


@click.command()
@_choice
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.pass_obj
def resend(settings: Settings, slug: str, mail: int | None, reason: str | None, everything: bool, yes: bool) -> None:
    """Send uncertain mails again. Whoever got the first one gets it twice."""
    here, which = opened(settings), _which(mail, reason, everything)
    with here.database.read() as session:
        count = decisions.count(session, blast_named(session, slug).id, which)
    if count and not yes:
        click.confirm(f"Whoever got the first one gets it twice. Send {count} mails again?", abort=True)
    count, was = _decide(here, slug, "resend", which, count)
    click.echo(f"{count} mails are sent again{' when the blast goes on' if was in decisions.STANDS_STILL else ''}.")


_VERBS = {"leave": decisions.leave, "resend": decisions.resend}
_COLUMNS = ("id", "member_id", "found_at", "relay", "worker", "batch", "reason", "said", "message_id")


def _which(mail: int | None, reason: str | None, everything: bool) -> Which:
    if everything == (mail is not None or reason is not None):
        raise click.UsageError("Say which: --all, --reason or --mail.")
    return Which(reason, mail)


def _decide(here: Installation, slug: str, verb: str, which: Which, seen: int | None = None) -> tuple[int, str]:
    """How many it was done to, and the state that the blast was in."""
    with here.database.write() as session:
        blast = blast_named(session, slug)
        blast_id, was = blast.id, blast.state
        count = _VERBS[verb](session, blast_id, which)
        if not count:
            raise click.ClickException(f"Nothing done: no such mail waits for a decision, and the blast is {was}.")
        if seen is not None and count != seen:
            raise click.ClickException(f"Nothing done: there are {count} by now. Look again.")
        record_command(session, verb, blast_id, count=count, **({"delivery": which.delivery} if which.delivery else {}))
    return count, was


def _evidence(here: Installation, slug: str) -> list[dict[str, Any]]:
    """Every undecided mail; members by number only."""
    lines: list[dict[str, Any]] = []
    after: int | None = 0
    with here.database.read() as session:
        blast_id = blast_named(session, slug).id
        while after is not None:
            page = evidence.undecided_page(session, here, blast_id, Which(), names=False, after=after)
            lines += [asdict(line) for line in page.lines]
            after = page.next
    for line in lines:
        del line["name"], line["decided_at"]
        line["found_at"] = line["found_at"].isoformat(timespec="seconds") if line["found_at"] else None
    return lines
