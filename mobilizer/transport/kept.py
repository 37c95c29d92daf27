"""Transport: what the built-in inbox has kept. The file that its SMTP side fills, and the questions to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FILE = "inbox.sqlite3"
_BUSY_SECONDS = 30

# The raw bytes have a table of their own, so that lists and counts read small rows only.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received_at REAL NOT NULL, recipient TEXT NOT NULL,
    sender TEXT NOT NULL, subject TEXT NOT NULL, language TEXT NOT NULL, size INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS contents (id INTEGER PRIMARY KEY REFERENCES messages, raw BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS ix_messages_language ON messages (language, id);
CREATE INDEX IF NOT EXISTS ix_messages_recipient ON messages (recipient);
"""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message as the inbox took it: one row a recipient. `language` is '' where the message names none.

    `recipient` and `sender` are the envelope's. `raw` is empty in lists.
    """

    id: int
    received_at: datetime
    recipient: str
    sender: str
    subject: str
    language: str
    size: int
    raw: bytes = b""


class Inbox:
    """The messages in a folder. Each question opens the file anew: the sink is another process."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def messages(
        self, *, before: int | None = None, limit: int = 50, language: str | None = None, recipient: str = ""
    ) -> list[Arrived]:
        """Newest first, without their raw bytes. `before` is the last id of the page ahead; `language` exact
        ('' for those that name none); `recipient` any part of the address."""
        where, values = _filter(language, recipient)
        if before is not None:
            where, values = f"{where} AND id < ?", [*values, before]
        query = f"SELECT {_COLUMNS} FROM messages WHERE {where} ORDER BY id DESC LIMIT ?"  # noqa: S608
        return [_arrived(row) for row in self._rows(query, [*values, limit])]

    def get(self, number: int) -> Arrived | None:
        """One message with its raw bytes."""
        query = f"SELECT {_COLUMNS}, raw FROM messages JOIN contents USING (id) WHERE id = ?"  # noqa: S608
        found = self._rows(query, [number])
        return _arrived(found[0]) if found else None

    def count(self, *, language: str | None = None, recipient: str = "") -> int:
        """How many there are."""
        where, values = _filter(language, recipient)
        found = self._rows(f"SELECT count(*) FROM messages WHERE {where}", values)  # noqa: S608
        return int(found[0][0]) if found else 0

    def languages(self) -> list[tuple[str, int]]:
        """The languages there are messages in, and how many, the most first."""
        query = "SELECT language, count(*) FROM messages GROUP BY language ORDER BY 2 DESC, 1"
        return [(str(tag), int(number)) for tag, number in self._rows(query)]

    def by_recipient(self) -> dict[str, list[tuple[int, str]]]:
        """recipient -> (id, language) of each message for it, oldest first: who got what, how often."""
        found: dict[str, list[tuple[int, str]]] = {}
        for number, recipient, language in self._rows("SELECT id, recipient, language FROM messages ORDER BY id"):
            found.setdefault(str(recipient), []).append((int(number), str(language)))
        return found

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[int | float | str | bytes, ...]]:
        if not self.path.exists():
            return []
        with opened(self.path) as connection:
            return connection.execute(query, values).fetchall()


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The inbox file, made if need be. A power cut may cost the last mails: it is an inbox for trying out."""
    new = not path.exists()
    with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        if new:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(_SCHEMA)
        yield connection


def keep(connection: sqlite3.Connection, messages: Sequence[Arrived]) -> None:
    """Store messages in one transaction; their `id` is ignored."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for message in messages:
            row = connection.execute(
                "INSERT INTO messages (received_at, recipient, sender, subject, language, size)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    message.received_at.timestamp(),
                    message.recipient,
                    message.sender,
                    message.subject,
                    message.language,
                    message.size,
                ),
            )
            connection.execute("INSERT INTO contents (id, raw) VALUES (?, ?)", (row.lastrowid, message.raw))
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


_COLUMNS = "id, received_at, recipient, sender, subject, language, size"


def _filter(language: str | None, recipient: str) -> tuple[str, list[object]]:
    where, values = ["1"], list[object]()
    if language is not None:
        where, values = [*where, "language = ?"], [*values, language]
    if recipient:
        where, values = [*where, "instr(lower(recipient), ?) > 0"], [*values, recipient.lower()]
    return " AND ".join(where), values


def _arrived(row: tuple[int | float | str | bytes, ...]) -> Arrived:
    number, received_at, *rest = row
    return Arrived(number, datetime.fromtimestamp(float(received_at), UTC), *rest)  # type: ignore[arg-type]
