"""Bench: what to measure. Said once on the command line, and told to every process of the run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. `database` empty: a SQLite file of its own; `sink` empty: a sink of its own, `rtt_ms` away.

    `processes` senders share the blast; with `profile` each looks now and then at what it is doing.
    """

    messages: int = 50_000
    sign: str = "none"
    database: str = ""
    connections: int = 50
    sink: str = ""
    rtt_ms: float = 0
    processes: int = 1
    profile: bool = True

    def dumps(self) -> str:
        """As JSON text, for another process."""
        return json.dumps(asdict(self))

    @staticmethod
    def loads(text: str) -> Plan:
        """The plan that `dumps` wrote."""
        return Plan(**json.loads(text))
