"""Face: `mobilizer members export`: members as a file. Who takes it says why, and it is written down."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.orm import Session

from mobilizer.audience import takeout
from mobilizer.audience.queries import list_by_slug
from mobilizer.cli.opening import opened
from mobilizer.cli.private_files import private_file
from mobilizer.cli.underway import bar
from mobilizer.installation import Installation
from mobilizer.organizers.audit import record
from mobilizer.segments.keeping import by_slug, usable_rules
from mobilizer.segments.tree import BadRules
from mobilizer.settings import Settings


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--reason", required=True, help="What the file is for: it goes into the audit log.")
@click.option("--list", "list_slug", default="", help="Only those on this list.")
@click.option("--segment", default="", help="Only those who fit this segment.")
@click.option("--language", default="", help="Only those who speak this language.")
@click.pass_obj
def export(settings: Settings, file: Path, reason: str, list_slug: str, segment: str, language: str) -> None:
    """Write confirmed members who may be mailed to FILE, a CSV that comes in again unchanged. Keep it safe."""
    installation = opened(settings)
    if problems := takeout.reason_problems(reason):
        raise click.BadParameter(problems[0].text(), param_hint="--reason")
    with installation.database.read() as session:
        wanted = _wanted(session, list_slug, segment, language)
        people = takeout.count_wanted(session, wanted)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to stop in either way, it leaves nothing
    try:
        with private_file(file) as out:
            with installation.database.write() as session:
                chosen = {"list": list_slug, "segment": segment, "language": language}
                record(session, None, "members.export", "members", reason=reason.strip(), people=people, **chosen)
            done = _write(installation, wanted, people, out.write)
    except FileExistsError:
        raise click.ClickException(f"{file} is there already; name another one.") from None
    except OSError as error:
        raise click.ClickException(f"{file} can't be written: {error.strerror}.") from None
    click.echo(f"{done} members are in {file}, readable by you only.")


def _wanted(session: Session, list_slug: str, segment_slug: str, language: str) -> takeout.Wanted:
    found = list_by_slug(session, list_slug) if list_slug else None
    if list_slug and found is None:
        raise click.BadParameter(f"there is no list “{list_slug}”.", param_hint="--list")
    segment = by_slug(session, segment_slug) if segment_slug else None
    if segment_slug and segment is None:
        raise click.BadParameter(f"there is no segment “{segment_slug}”.", param_hint="--segment")
    try:
        fits = usable_rules(session, segment.rules).where(datetime.now(UTC)) if segment else None
    except BadRules as bad:
        raise click.ClickException("\n".join(f"{one.where}: {one.text()}" for one in bad.problems)) from None
    return takeout.Wanted(found.id if found else None, language, fits)


def _write(installation: Installation, wanted: takeout.Wanted, people: int, write: Callable[[str], int]) -> int:
    done = 0
    with bar(quiet=False) as shown:
        task = shown.add_task("Members", total=people)
        for rows, text in takeout.take_out(installation.database, installation.keyring, wanted):
            write(text)
            done += rows
            shown.update(task, completed=done)
    return done
