"""Web: how relays and their pace are told on the settings page. Hosts and limits, never a password."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mobilizer.delivery.limits import pace_of
from mobilizer.pace.store import Away, Standing
from mobilizer.problems import N_
from mobilizer.settings import Settings
from mobilizer.transport.relays import Relays, RelaysError, Route, load_relays
from mobilizer.web.words import _, number

# A rate is told in the shortest time that a whole message goes in.
_TIMES = (
    (1, N_("%(rate)s a second")),
    (60, N_("%(rate)s a minute")),
    (3600, N_("%(rate)s an hour")),
    (86_400, N_("%(rate)s a day")),
)


@dataclass(frozen=True, slots=True)
class Tempo:
    """How one relay or provider stands, in words. `limit` empty: none; `now` empty: not slowed, or not known."""

    name: str
    relay: str  # the relay that a provider's limit is for; empty for all
    limit: str
    now: str
    since: datetime | None
    trouble_at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class RelayPage:
    """What the page shows. `known` is False while Redis, which knows the pace, is away."""

    wrong: tuple[str, ...] = ()
    routes: tuple[tuple[Route, Tempo], ...] = ()
    providers: tuple[Tempo, ...] = ()
    known: bool = True


def relay_page(settings: Settings) -> RelayPage:
    """The relays in force and their pace; what is wrong with their file, where it can't be read."""
    try:
        relays = load_relays(settings)
    except RelaysError as error:
        return RelayPage(wrong=tuple(str(error).splitlines()))
    try:
        standings, known = pace_of(settings, relays).state(), True
    except Away:
        standings, known = [Standing(name, rate, rate) for name, rate in relays.limits().items()], False
    tempos = {standing.name: _tempo(standing) for standing in standings}
    return RelayPage(
        routes=tuple(
            (route, tempos.get(name := f"relay:{route.name}") or _tempo(Standing(name, 0, 0)))
            for route in relays.routes
        ),
        providers=tuple(_providers(relays, tempos)),
        known=known,
    )


def rate_words(rate: float) -> str:
    """A rate in messages a second as people say it: 12 a second, 10 a minute; nothing for none."""
    if not rate:
        return ""
    seconds, sentence = next((time for time in _TIMES if rate * time[0] >= 0.9995), _TIMES[-1])
    many = rate * seconds
    return _(sentence, rate=number(round(many) if many >= 10 else round(many, 1)))


def _providers(relays: Relays, tempos: dict[str, Tempo]) -> Iterator[Tempo]:
    ours = {f"relay:{route.name}" for route in relays.routes}
    yield from (tempo for name, tempo in tempos.items() if name not in ours and "provider:" in name)


def _tempo(standing: Standing) -> Tempo:
    relay, _slash, provider = standing.name.rpartition("/")
    return Tempo(
        name=(provider or standing.name).partition(":")[2],
        relay=relay.partition(":")[2],
        limit=rate_words(standing.limit),
        now=rate_words(standing.rate) if standing.slowed_since else "",
        since=standing.slowed_since,
        trouble_at=standing.trouble_at,
        why=standing.why,
    )
