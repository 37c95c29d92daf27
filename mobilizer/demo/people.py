"""Demo: the members, invented anew in the same way each time, on domains that reach nobody (RFC 2606)."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mobilizer.audience.lists import Standing
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.demo.names import ODD_NAMES, TONGUES, Tongue

LISTS = (
    ("everyone", "Everyone", "Our appeals, about twice a month."),
    ("film-nights", "Film nights", "Short films, as soon as they are out."),
    ("volunteers", "Volunteers", "For those who translate, host and knock on doors."),
)
WORDING = "Yes, send me appeals by e-mail. I can leave with one click."
SOURCES = ("website", "website", "website", "march", "petition", "import")
_CODE = "abcdefghjkmnpqrstuvwxyz23456789"
_PLAIN = str.maketrans({"ß": "ss", "ł": "l", "Ł": "l", "ø": "o", "æ": "ae", "ð": "d", "þ": "th"})


NEW = timedelta(days=20)  # for so long somebody tells everyone of what they have joined


@dataclass(slots=True)
class Person:
    """One invented member. `standings` is by list slug; `recruiter` the place of another in the same sequence."""

    email: str
    name: str
    language: str
    second: str | None
    country: str
    time_zone: str
    joined_at: datetime
    source: str
    share_code: str
    attributes: dict[str, str]
    standings: dict[str, Standing] = field(default_factory=dict)
    suppressed: SuppressedFor | None = None
    recruiter: int | None = None

    @property
    def left(self) -> bool:
        """Whether they are on no list any more."""
        return Standing.CONFIRMED not in self.standings.values()


def invent(count: int, now: datetime, seed: int = 2014) -> list[Person]:
    """`count` people who joined in the two years before `now`, the oldest first."""
    chance = random.Random(seed)  # noqa: S311 - a demo, not a secret
    days = sorted((700 * (1 - chance.random() ** 0.7) for _ in range(count)), reverse=True)
    people = [_person(chance, place, now - timedelta(days=back + 0.2)) for place, back in enumerate(days)]
    lately: list[int] = []
    for place, person in enumerate(people):
        if person.source != "share" or not place:
            continue
        # A few bring in many: the tree of who brought whom has branches. And who is new passes it on.
        person.recruiter = (
            chance.choice(lately) if lately and chance.random() < 0.4 else int(place * chance.random() ** 2.2)
        )
        if now - person.joined_at < NEW:
            lately.append(place)
    return people


def _person(chance: random.Random, place: int, joined_at: datetime) -> Person:
    tongue = chance.choices(list(TONGUES.values()), [tongue.share for tongue in TONGUES.values()])[0]
    country, time_zone = chance.choice(tongue.places)
    first, last = chance.choice(tongue.first), chance.choice(tongue.last)
    person = Person(
        email=f"{_local_part(first, last)}.{place}@{chance.choice(tongue.domains)}",
        name=_name(chance, tongue, place, first, last),
        language=chance.choice(tongue.tags),
        second=chance.choice(tongue.seconds),
        country=country,
        time_zone=time_zone,
        joined_at=joined_at,
        source="share" if chance.random() < 0.22 else chance.choice(SOURCES),
        share_code="".join(chance.choices(_CODE, k=10)),
        attributes={"city": time_zone.rpartition("/")[2].replace("_", " ")} if chance.random() < 0.3 else {},
    )
    person.standings = dict(_standings(chance))
    person.suppressed = _suppressed(chance)
    return person


def _name(chance: random.Random, tongue: Tongue, place: int, first: str, last: str) -> str:
    # The odd ones come early, so that even a small demo has them.
    if place % 7 == 3 and place // 7 < len(ODD_NAMES):
        return ODD_NAMES[place // 7]
    kind = chance.random()
    if kind < 0.07:
        return ""
    if kind < 0.12:
        return first
    return f"{last} {first}" if tongue is TONGUES["ja"] else f"{first} {last.replace('-', ' ', 1)}"


def _standings(chance: random.Random) -> Iterator[tuple[str, Standing]]:
    kind = chance.random()
    standing = Standing.UNSUBSCRIBED if kind < 0.05 else Standing.PENDING if kind < 0.065 else Standing.CONFIRMED
    chosen = [slug for (slug, _, _), likely in zip(LISTS, (0.86, 0.34, 0.12), strict=True) if chance.random() < likely]
    for slug in chosen or ["everyone"]:
        yield slug, standing
    if kind > 0.96 and "film-nights" not in chosen:
        yield "film-nights", Standing.UNSUBSCRIBED


def _suppressed(chance: random.Random) -> SuppressedFor | None:
    kind = chance.random()
    for most, reason in (
        (0.011, SuppressedFor.HARD_BOUNCE),
        (0.016, SuppressedFor.COMPLAINT),
        (0.020, SuppressedFor.MANUAL),
        (0.022, SuppressedFor.SOFT_BOUNCES),
    ):
        if kind < most:
            return reason
    return None


def _local_part(first: str, last: str) -> str:
    words = unicodedata.normalize("NFKD", f"{first}.{last}".translate(_PLAIN)).encode("ascii", "ignore").decode()
    plain = "".join(c for c in words.lower() if c.isalnum() or c == ".").strip(".")
    return plain if len(plain) > 1 else "friend"
