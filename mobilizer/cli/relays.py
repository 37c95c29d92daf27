"""Face: `mobilizer relays`, the relays that are configured, how fast each may go and how fast it goes now."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from mobilizer.cli import main
from mobilizer.delivery.limits import pace_of
from mobilizer.pace.store import Away, Standing
from mobilizer.settings import Settings
from mobilizer.transport.relays import Relays, RelaysError, Route, load_relays


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def relays(settings: Settings, as_json: bool) -> None:
    """Show the relays, their limits and their pace: what was slowed, since when, and after which answer."""
    found = configured(settings)
    try:
        standings: list[Standing] | None = pace_of(settings, found).state()
    except Away:
        standings = None
    if as_json:
        click.echo(json.dumps(_document(found, standings), indent=2))
    else:
        _print(found, standings)


def configured(settings: Settings) -> Relays:
    """The relays in force; ends the command with what is wrong in `relays.toml`, if anything is."""
    try:
        return load_relays(settings)
    except RelaysError as error:
        raise click.ClickException(str(error)) from None


def spoken(rate: float) -> str:
    """A rate as people say it: 12 a second, 10 a minute, 3 an hour."""
    for seconds, time in ((1, "a second"), (60, "a minute"), (3600, "an hour")):
        if rate * seconds >= 1:
            return f"{rate * seconds:.3g} {time}"
    return f"{rate * 86400:.3g} a day"


def _print(found: Relays, standings: list[Standing] | None) -> None:
    console = Console(highlight=False)
    table = Table("Relay", "Host", "TLS", "Weight", "Connections", "Messages each", "Most")
    table.columns[1].no_wrap = True
    for route in found.routes:
        table.add_row(*_row(route))
    console.print(table)
    if standings is None:
        console.print("Redis does not answer: each worker keeps to its share of the limits, and the pace is not known.")
    elif standings:
        console.print(_paces(standings))
    else:
        console.print("Nothing is limited, and nothing was slowed lately.")


def _row(route: Route) -> list[str]:
    relay = route.relay
    signed_in = f", as {relay.user}" if relay.user else ""
    most = spoken(route.rate) if route.rate else "–"
    each = str(route.messages_per_connection or "–")
    place = f"{relay.host}:{relay.port}"
    return [route.name, place, relay.tls + signed_in, str(route.weight), str(route.connections), each, most]


def _paces(standings: list[Standing]) -> Table:
    table = Table("Pace of", "Most", "Now", "Slowed since", "Last trouble")
    for one in standings:
        now = spoken(one.rate) if one.rate else "–"
        trouble = f"{_at(one.trouble_at)} {one.why}".strip()
        table.add_row(one.name, spoken(one.limit) if one.limit else "–", now, _at(one.slowed_since), trouble)
    return table


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""


def _document(found: Relays, standings: list[Standing] | None) -> dict[str, Any]:
    return {
        "relays": [
            {
                "name": route.name,
                "host": route.relay.host,
                "port": route.relay.port,
                "tls": route.relay.tls,
                "user": route.relay.user,
                "weight": route.weight,
                "connections": route.connections,
                "messages_per_connection": route.messages_per_connection,
                "per_second": route.rate or None,
            }
            for route in found.routes
        ],
        "redis": standings is not None,
        "pace": [
            {
                "name": one.name,
                "limit_per_second": one.limit or None,
                "now_per_second": one.rate or None,
                "slowed_since": one.slowed_since.isoformat() if one.slowed_since else None,
                "trouble_at": one.trouble_at.isoformat() if one.trouble_at else None,
                "why": one.why,
                "times": one.times,
            }
            for one in standings or []
        ],
    }
