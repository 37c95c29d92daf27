"""Audience: what an import did to each member, kept for some days so that it can be undone."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from mobilizer.db import Base, BigId
from mobilizer.keys import Keyring

Change = dict[str, tuple[Any, Any]]  # what changed -> what it was, what it is
TAGS = "tags"  # of a change: of tags it says only which were put on


class ImportTrace(Base):
    """One member whom an import added to the members, brought onto its list, or changed; those who are no more than new
    may be in an ImportSpan instead.

    `changed` is sealed: it holds what was known of the person before and after.
    """

    __tablename__ = "import_traces"
    __table_args__ = (Index("ix_import_traces_member", "member_id"),)

    import_id: Mapped[int] = mapped_column(BigId, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigId, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    added: Mapped[bool]
    joined: Mapped[bool]
    changed: Mapped[bytes | None]

    def change(self, keyring: Keyring) -> Change:
        """What changed of the member; nothing if only their lists did. Raises keys.BadSeal."""
        if self.changed is None:
            return {}
        kept = json.loads(keyring.open(self.changed, change_binding(self.import_id, self.member_id)))
        return {name: (before, after) for name, (before, after) in kept.items()}


class ImportSpan(Base):
    """Members with consecutive numbers, `first_id` to `last_id`, whom an import added and brought onto its list.

    Thousands of traces in one row. Those of them who are erased are simply no members any more, and no number is given
    twice.
    """

    __tablename__ = "import_spans"

    import_id: Mapped[int] = mapped_column(BigId, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    first_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    last_id: Mapped[int] = mapped_column(BigId)


class ImportMention(Base):
    """Members with consecutive numbers, `first_id` to `last_id`, whom an import's file names and who were on its list
    already.

    Kept where another import may have brought them that can still be undone: nobody leaves the list by that whom this
    file names, too.
    """

    __tablename__ = "import_mentions"

    import_id: Mapped[int] = mapped_column(BigId, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    first_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    last_id: Mapped[int] = mapped_column(BigId, primary_key=True)


def seal_change(keyring: Keyring, import_id: int, member_id: int, change: Change) -> bytes | None:
    """A change as it is kept; None for none."""
    return keyring.seal(json.dumps(change), change_binding(import_id, member_id)) if change else None


def change_binding(import_id: int, member_id: int) -> bytes:
    """What the sealed change of a member by an import is bound to."""
    return f"import-trace:{import_id}:{member_id}".encode()
