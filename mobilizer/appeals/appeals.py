"""Appeals: the appeal and its translations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mobilizer.codes import share_code
from mobilizer.db import Base, BigId, Id, clock


class Appeal(Base):
    """What is said: one object that owns its translations. `revision` grows with every saved change.

    `code` names it in addresses that must not say what it is about. `video` and `poster` name files of the media
    folder; a translation may have its own, in its own language. `video_language` is what is spoken in
    the appeal's film, empty where that is the source language.
    """

    __tablename__ = "appeals"

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    code: Mapped[str] = mapped_column(default=share_code, unique=True)
    template: Mapped[str] = mapped_column(default="video-appeal")
    source_language: Mapped[str]
    video: Mapped[str] = mapped_column(default="")
    poster: Mapped[str] = mapped_column(default="")
    video_seconds: Mapped[int] = mapped_column(default=0)
    video_language: Mapped[str] = mapped_column(default="")
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=clock())
    changed_at: Mapped[datetime] = mapped_column(default=clock())

    translations: Mapped[list[Translation]] = relationship(
        back_populates="appeal", cascade="all, delete-orphan", order_by="Translation.language"
    )


class Translation(Base):
    """An appeal's words in one language; the source text is the translation in the source language.

    `outdated_from` has, for each field whose source text has changed since, the source words that the translation was
    made from. `approved_hash` is the content (states.content_hash) that somebody has approved: any other is not.
    """

    __tablename__ = "translations"
    __table_args__ = (UniqueConstraint("appeal_id", "language"),)

    id: Mapped[Id]
    appeal_id: Mapped[int] = mapped_column(BigId, ForeignKey("appeals.id", ondelete="CASCADE"))
    language: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    subject: Mapped[str] = mapped_column(default="")
    preheader: Mapped[str] = mapped_column(default="")
    greeting: Mapped[str] = mapped_column(default="")
    greeting_nameless: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = mapped_column(default="")
    button: Mapped[str] = mapped_column(default="")
    poster_alt: Mapped[str] = mapped_column(default="")
    share_text: Mapped[str] = mapped_column(default="")
    share_whatsapp: Mapped[str] = mapped_column(default="")
    share_email: Mapped[str] = mapped_column(default="")
    share_sms: Mapped[str] = mapped_column(default="")
    join_text: Mapped[str] = mapped_column(default="")
    discreet_sender: Mapped[str] = mapped_column(default="", server_default="")
    discreet_subject: Mapped[str] = mapped_column(default="", server_default="")
    discreet_preheader: Mapped[str] = mapped_column(default="", server_default="")
    subject_b: Mapped[str] = mapped_column(default="")
    opening_b: Mapped[str] = mapped_column(default="")
    subject_c: Mapped[str] = mapped_column(default="")
    opening_c: Mapped[str] = mapped_column(default="")
    subject_d: Mapped[str] = mapped_column(default="")
    opening_d: Mapped[str] = mapped_column(default="")
    video: Mapped[str] = mapped_column(default="")
    poster: Mapped[str] = mapped_column(default="")
    captions: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[datetime] = mapped_column(default=clock())
    outdated_from: Mapped[dict[str, Any]] = mapped_column(default=dict)
    approved_hash: Mapped[str] = mapped_column(default="")
    approved_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    approved_at: Mapped[datetime | None]

    appeal: Mapped[Appeal] = relationship(back_populates="translations")


def sound_of(appeal: Appeal) -> str:
    """The language that is spoken in an appeal's film."""
    return appeal.video_language or appeal.source_language
