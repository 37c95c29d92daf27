"""Appeals: the media library. Every picture, film and caption file that was brought, what it shows, and who uses it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mobilizer.db import Base, BigId, Id, clock

MOST_ALT = 250


class MediaFile(Base):
    """A file of the media folder that somebody brought; `width` and `height` are a picture's, in pixels, else 0."""

    __tablename__ = "media_files"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    octets: Mapped[int] = mapped_column(BigId)
    width: Mapped[int] = mapped_column(default=0)
    height: Mapped[int] = mapped_column(default=0)
    added_at: Mapped[datetime] = mapped_column(default=clock())

    texts: Mapped[list[MediaText]] = relationship(cascade="all, delete-orphan", order_by="MediaText.language")


class MediaText(Base):
    """What a picture shows, in one language: offered where the picture is chosen for that language."""

    __tablename__ = "media_texts"

    media_id: Mapped[int] = mapped_column(BigId, ForeignKey("media_files.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
