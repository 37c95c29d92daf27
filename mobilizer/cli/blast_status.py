"""Face: `mobilizer blasts status`: how far a blast is, once or until it is final, for people or as JSON."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import check
from mobilizer.blasts.modes import modes_of
from mobilizer.cli.naming import blast_named
from mobilizer.cli.opening import opened
from mobilizer.delivery import causes
from mobilizer.delivery.causes import Kind
from mobilizer.delivery.limits import in_force
from mobilizer.delivery.progress import Progress, Tally, progress
from mobilizer.delivery.waves import HeldWave, held
from mobilizer.delivery.waves import Kind as WaveKind
from mobilizer.engagement.winners import Trial, trials
from mobilizer.installation import Installation
from mobilizer.languages import UnknownLanguage, language
from mobilizer.pace.store import Standing
from mobilizer.segments.choosing import whom
from mobilizer.settings import Settings

SECONDS = 2.0
GOALS = ("People", "Accepted", "Clicks", "Watches", "Shares", "Recruits")
KINDS = ("accepted", "rejected", "skipped", "uncertain", "waiting")


@click.command()
@click.argument("slug")
@click.option("--watch", is_flag=True, help="Show it anew every two seconds until nothing changes any more.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def status(settings: Settings, slug: str, watch: bool, as_json: bool) -> None:
    """Show how far a blast is, by language and mailbox, what waits and why."""
    here = opened(settings)
    if as_json:
        while True:
            now = status_of(here, slug)
            click.echo(json.dumps(now))
            if not watch or now["finished"]:
                return
            time.sleep(SECONDS)
    console = Console()
    first = status_of(here, slug)
    if not watch:
        console.print(drawn(first))
        return
    with Live(drawn(first), console=console, refresh_per_second=4) as live:
        while not first["finished"]:
            time.sleep(SECONDS)
            first = status_of(here, slug)
            live.update(drawn(first))


def status_of(here: Installation, slug: str) -> dict[str, Any]:
    """Everything about a blast's progress, in words and numbers that JSON has. No address and no name is in it."""
    with here.database.read() as session:
        blast = blast_named(session, slug)
        now = progress(session, blast)
        groups = {kind.value: causes.groups(session, blast.id, kind).value for kind in Kind}
        later = sum(group.people for group in groups[Kind.DEFERRED])
        return {
            "slug": slug,
            "state": now.state,
            "finished": now.finished,
            "scheduled_at": _said(blast.scheduled_at),
            "tracking": str(modes_of(blast).tracking),
            "discreet": modes_of(blast).discreet,
            "held_for": now.held_for.text() if now.held_for else "",
            "retry_at": _said(now.retry_at),
            "people": now.overall.total or _people(here, session, blast),
            **_counts(now.overall),
            "undecided": now.undecided,
            "per_second": round(now.per_second, 2),
            "seconds_left": _left(now, later),
            "workers": now.workers,
            "limits": [_limit(standing) for standing in in_force(here.settings)] if now.state == "sending" else [],
            "languages": {tag: _counts(tally) for tag, tally in now.languages.items()},
            "mailboxes": {code: _counts(tally) for code, tally in causes.by_provider(session, blast.id).value.items()},
            "held": [_wave(wave) for wave in held(session, blast.id)],
            "trials": [_trial(trial) for trial in trials(session, blast)],
            "causes": {kind: [_cause(group) for group in found] for kind, found in groups.items()},
        }


def drawn(now: dict[str, Any]) -> RenderableType:
    """The same for people."""
    shown: list[RenderableType] = [f"[bold]{now['slug']}[/] is [bold]{now['state']}[/]. {now['held_for']}".strip()]
    shown += [f"It tries again by itself at {now['retry_at']}."] if now["retry_at"] else []
    shown += [f"It leaves at {now['scheduled_at']}."] if now["state"] in ("scheduled", "leaving") else []
    counted = {"off": "not counted", "sums": "counted in sums"}.get(now["tracking"], "counted by member")
    shown.append(f"Opens and clicks are {counted}{'; it is discreet' if now['discreet'] else ''}.")
    if not now["languages"]:
        return Group(*shown, f"It would go to {now['people']} people.")
    shown.append(_table("Language", {_own_name(tag): counts for tag, counts in now["languages"].items()}, now))
    if now["mailboxes"]:
        named = {code or "Other mailboxes": counts for code, counts in now["mailboxes"].items()}
        shown.append(_table("Mailbox", named))
    for limit in now["limits"]:
        how = "slowed" if limit["slowed"] else "limited"
        shown.append(f"{limit['name']} is {how} to {limit['per_second'] * 60:.4g} a minute.")
    for kind, title in ((Kind.DEFERRED, "Waits for another try"), (Kind.REJECTED, "Rejected")):
        if found := now["causes"][kind]:
            shown.append(causes_table(title, found))
    shown += [_trial_table(trial) for trial in now["trials"]]
    for wave in now["held"]:
        moment = f"until {wave['opens_at'] or 'somebody says so'}"
        what = f"for {wave['language']}" if wave["kind"] == WaveKind.LANGUAGE else moment
        shown.append(f"Wave {wave['wave']}: {wave['people']} people are held {what}.")
    if now["undecided"]:
        shown.append(f"{now['undecided']} uncertain: see `mobilizer blasts uncertain {now['slug']}`.")
    rate = f"{now['per_second']:.0f} a second, " if now["per_second"] else ""
    left = f"about {now['seconds_left']:.0f} s to go, " if now["seconds_left"] else ""
    shown.append(f"{rate}{left}{now['workers']} workers alive.")
    return Group(*shown)


def causes_table(title: str, found: list[dict[str, Any]]) -> Table:
    """Causes with the names that `retry --cause` takes."""
    table = Table("Cause", "People", "Next try", title=title, title_justify="left")
    for cause in found:
        table.add_row(cause["cause"], str(cause["people"]), cause["next_at"] or "")
    return table


def _table(head: str, lines: dict[str, dict[str, int]], whole: dict[str, Any] | None = None) -> Table:
    table = Table(head, "People", *(kind.capitalize() for kind in KINDS))
    for name, counts in lines.items():
        table.add_row(name, str(sum(counts.values())), *(str(counts[kind]) for kind in KINDS))
    if whole:
        table.add_row("All", str(whole["people"]), *(str(whole[kind]) for kind in KINDS), style="bold")
    return table


def _counts(tally: Tally) -> dict[str, int]:
    return {kind: getattr(tally, kind) for kind in KINDS}


def _cause(group: causes.Group) -> dict[str, Any]:
    return {"cause": group.cause.key, "people": group.people, "next_at": _said(group.next_at)}


def _wave(wave: HeldWave) -> dict[str, Any]:
    told = {"kind": wave.kind, "language": wave.language, "opens_at": _said(wave.opens_at), "people": wave.people}
    return {"wave": wave.n, **told}


def _trial(trial: Trial) -> dict[str, Any]:
    tried = {one.variant: {"people": one.people, "accepted": one.accepted, **one.did} for one in trial.tried}
    leads = trial.best if trial.known else ""
    stands = {"leads": leads, "sure": bool(leads) and trial.sure(leads), "winner": trial.winner}
    return {"language": trial.language, "goal": trial.goal, "rest": trial.rest, **stands, "tried": tried}


def _trial_table(trial: dict[str, Any]) -> Table:
    chosen = f"{trial['winner'].upper()} was chosen" if trial["winner"] else "none is chosen yet"
    chance = "more than chance" if trial["sure"] else "it may be chance"
    leads = f", {trial['leads'].upper()} leads by {trial['goal']} ({chance})" if trial["leads"] else ""
    title = f"Variants in {_own_name(trial['language'])}: {chosen}{leads}"
    table = Table("Variant", *GOALS, title=title, title_justify="left")
    for variant, counts in trial["tried"].items():
        table.add_row(variant.upper(), *(str(counts[goal.lower()]) for goal in GOALS))
    return table


def _limit(standing: Standing) -> dict[str, Any]:
    slowed = standing.slowed_since is not None
    return {"name": standing.name, "per_second": round(standing.rate, 6), "slowed": slowed, "why": standing.why}


def _left(now: Progress, later: int) -> float | None:
    left = now.seconds_left(later) if now.state == "sending" else None
    return None if left is None else round(left, 1)


def _people(here: Installation, session: Session, blast: Blast) -> int:
    return check(session, here, blast, datetime.now(UTC).date(), whom).people


def _said(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _own_name(tag: str) -> str:
    try:
        return language(tag).own_name
    except UnknownLanguage:
        return tag
