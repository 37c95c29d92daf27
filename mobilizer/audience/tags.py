"""Audience: the tag, a word that organizers put on members. One word is one tag, however its letters are cased."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from mobilizer.db import Base, BigId, Id, clock
from mobilizer.problems import N_, Problem

MAX_NAME = 60
MOST_AT_ONCE = 20  # tags in one cell, or put on in one go

# Also as Arabic, Chinese and Japanese keyboards write them.
_SEPARATORS = re.compile(r"[,;|\u060c\u061b\u3001\uff0c\uff1b\uff5c]")


class Tag(Base):
    """A word for members, unique by `folded`. It is in the clear: never the place for a name or an address."""

    __tablename__ = "tags"
    # A segment names a tag by number: that of one which is gone is never given again.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[Id]
    name: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock())


class MemberTag(Base):
    """One tag on one member."""

    __tablename__ = "member_tags"
    __table_args__ = (Index("ix_member_tags_member", "member_id", "tag_id"),)

    tag_id: Mapped[int] = mapped_column(BigId, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigId, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)


def folded(name: str) -> str:
    """What two spellings of one tag have in common (Unicode 3.13, D146: compatibility caseless matching)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def split_names(text: str) -> tuple[str, ...]:
    """The tags that a text names, divided by commas, semicolons or bars; each once, as it is first written."""
    parts = (" ".join(part.split()).strip("\"' ") for part in _SEPARATORS.split(text))
    found = {folded(part): part for part in reversed([part for part in parts if part])}
    return tuple(reversed(found.values()))


def name_problem(name: str) -> Problem | None:
    """Why a name can't be a tag's."""
    if not name.strip():
        return Problem("tag.name_missing", N_("A tag needs a name."), where="tags")
    if "@" in name:
        message = N_("A tag can't have an @ in it: tags are kept in the clear, addresses never are.")
        return Problem("tag.address", message, where="tags")
    if len(name) > MAX_NAME:
        message = N_("A tag has %(most)d letters at most. Make it shorter.")
        return Problem("tag.name_long", message, {"most": MAX_NAME}, where="tags")
    if _SEPARATORS.search(name):
        message = N_("A tag can't have a comma, a semicolon or a bar in it: they stand between tags.")
        return Problem("tag.separator", message, where="tags")
    return None


def names_problems(names: tuple[str, ...]) -> list[Problem]:
    """What is wrong with tags that are put on in one go."""
    if len(names) > MOST_AT_ONCE:
        message = N_("These are too many tags at once: at most %(most)d.")
        return [Problem("tag.too_many", message, {"most": MOST_AT_ONCE}, where="tags")]
    return [problem for name in names if (problem := name_problem(name))][:1]
