"""Audience: one import of a file, from upload to report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from mobilizer.db import Base, BigId, Id, clock
from mobilizer.keys import Keyring

UNDO_DAYS = 7
OVER = ("done", "failed")  # also where a file broke off: what was read before is in
MAX_NAME = 200  # letters; the end of a file's name says more than its beginning


class Import(Base):
    """An uploaded file on its way into a list. The file lies sealed in the home folder until it has been read.

    `encoding` is that of a text, or 'xlsx' or 'ods' for a workbook, whose sheet `options` names by its number.
    `columns` maps a field ('email', 'name', 'language' ...) to a column's position; `counts` has one number a
    verdict. The names of the columns are sealed: where a file has none, the first person may be taken for them.
    """

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint("state IN ('uploaded', 'running', 'done', 'failed', 'undoing', 'undone')", name="state"),
    )

    id: Mapped[Id]
    list_id: Mapped[int] = mapped_column(BigId, ForeignKey("lists.id", ondelete="CASCADE"))
    sealed_name: Mapped[bytes | None]
    sealed_header: Mapped[bytes | None]
    state: Mapped[str] = mapped_column(default="uploaded")
    encoding: Mapped[str] = mapped_column(default="")
    delimiter: Mapped[str] = mapped_column(default=",")
    columns: Mapped[dict[str, Any]] = mapped_column(default=dict)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rows: Mapped[int] = mapped_column(default=0)
    rows_read: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    failure: Mapped[str] = mapped_column(default="")
    created_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=clock())
    finished_at: Mapped[datetime | None]

    @property
    def paused(self) -> bool:
        """Whether a person has stopped a run that is not at its end: `options` say since when."""
        return self.state == "running" and bool(self.options.get("paused"))

    @property
    def paused_since(self) -> datetime | None:
        """When a run that stands still was stopped."""
        return datetime.fromisoformat(self.options["paused"]) if self.paused else None

    @property
    def runs(self) -> bool:
        """Whether rows are to be read now."""
        return self.state == "running" and not self.paused

    def name_file(self, keyring: Keyring, name: str) -> None:
        """Keep the file's name, sealed for this row: a name like “Ana Sol.csv” names a person."""
        self.sealed_name = keyring.seal(name[-MAX_NAME:], name_binding(self.id))

    def filename(self, keyring: Keyring) -> str:
        """The file's name, empty where none was kept. Raises keys.BadSeal."""
        return keyring.open(self.sealed_name, name_binding(self.id)) if self.sealed_name else ""

    def name_columns(self, keyring: Keyring, header: Sequence[str]) -> None:
        """Keep the names of the columns, sealed for this row."""
        self.sealed_header = keyring.seal(json.dumps(list(header), ensure_ascii=False), header_binding(self.id))

    def header(self, keyring: Keyring) -> tuple[str, ...]:
        """The name of each column, empty where they are not kept. Raises keys.BadSeal."""
        if self.sealed_header is None:
            return ()
        return tuple(json.loads(keyring.open(self.sealed_header, header_binding(self.id))))


def name_binding(import_id: int) -> bytes:
    """What the sealed name of an import's file is bound to."""
    return f"import-name:{import_id}".encode()


def header_binding(import_id: int) -> bytes:
    """What the sealed names of an import's columns are bound to."""
    return f"import-header:{import_id}".encode()
