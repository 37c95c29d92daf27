"""Public: ways in. What is known from memory of share links: the film of a link's address, and whose its code is.

A code that is revoked, and a language that is added, show within FRESH_SECONDS. While the database is away, what was
known stays good for longer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, partial

from mobilizer.db import Database
from mobilizer.engagement.attribution import Sharer, sharer
from mobilizer.public.film import shared, tags_of
from mobilizer.public.sharing import CHANNELS, is_code
from mobilizer.public.targets import Memory
from mobilizer.public.tongues import best_of

FRESH_SECONDS = 5.0
MOST_FILMS = 1000
MOST_CODES = 20_000
LONGEST_WISHES = 200  # of Accept-Language: what is longer is read anew each time
# A share link: what should be a code, and the name of its film.
LINK = re.compile(r"/s/([^/]{1,100})/([a-z0-9-]{1,100})")
_CHANNEL = re.compile(r"(?:^|&)c=([a-z]{1,20})(?:&|$)")


@dataclass(frozen=True, slots=True)
class Shown:
    """The appeal that a share link leads to: the name its pages go by from there, and the languages it has."""

    appeal_id: int
    name: str
    tags: tuple[str, ...]
    source_language: str


class WaysIn:
    """The share links of one database."""

    def __init__(self, database: Database) -> None:
        self._films = Memory[tuple[str, bool], Shown | None](partial(_shown, database), MOST_FILMS, FRESH_SECONDS)
        # Anybody can think up codes: those who ask for them wait in a line of their own.
        self._sharers = Memory[tuple[str, int], Sharer](partial(_sharer, database), MOST_CODES, FRESH_SECONDS)

    def film(self, name: str, discreet: bool) -> Shown | None:
        """The film of a name, on the discreet site or the usual one; None where there is none. Raises Away."""
        return self._films.get((name, discreet))

    def sharer(self, code: str, film: Shown) -> Sharer:
        """Whose a code is. Raises Away."""
        return self._sharers.get((code, film.appeal_id)) if is_code(code) else Sharer()


def channel_of(query: str) -> str:
    """The channel that a query string names, or empty."""
    found = _CHANNEL.search(query)
    return found[1] if found and found[1] in CHANNELS else ""


def language_for(wishes: str, film: Shown, *otherwise: str) -> str:
    """The language of a film for who sends such an Accept-Language; a messenger that draws a card says none."""
    choose = _chosen if len(wishes) <= LONGEST_WISHES else best_of
    return choose(wishes, film.tags, *otherwise)


_chosen = lru_cache(maxsize=4096)(best_of)


def _shown(database: Database, asked: tuple[str, bool]) -> Shown | None:
    name, discreet = asked
    with database.read() as session:
        appeal = shared(session, name, discreet)
        tags = tags_of(appeal) if appeal else ()
        if appeal is None or not tags:
            return None
        return Shown(appeal.id, appeal.code if name == appeal.code else appeal.slug, tags, appeal.source_language)


def _sharer(database: Database, key: tuple[str, int]) -> Sharer:
    with database.read() as session:
        return sharer(session, *key)
