"""Appeals: the media library. Every picture, film and caption file that was brought, what it shows, and who uses it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship, selectinload

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.fields import MEDIA_FIELDS
from mobilizer.appeals.media import is_kept_name, kind_of
from mobilizer.db import Base, BigId, Id, clock
from mobilizer.problems import N_, Problem

MOST_ALT = 250
KINDS = ("poster", "video", "captions")

_Use = tuple[str, str]  # slug of an appeal, tag of the translation; no tag where it is the whole appeal's
Sent = Callable[[str], bool]  # whether a file is drawn in mails that were launched


class MediaFile(Base):
    """A file of the media folder that somebody has said something of."""

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


@dataclass(frozen=True, slots=True)
class Shelved:
    """A file of the library. `width` and `height` are a picture's in pixels, else 0; `appeals` the slugs of those that
    use it now, `languages` the tags of the translations among them; `sent` says that mails which have left draw it."""

    name: str
    kind: str
    octets: int
    width: int
    height: int
    added_at: datetime
    texts: Mapping[str, str]
    appeals: tuple[str, ...]
    languages: tuple[str, ...]
    sent: bool

    @property
    def used(self) -> bool:
        """Whether it has to stay."""
        return bool(self.appeals) or self.sent


def shelves(session: Session, media: Path, sent: Sent) -> list[Shelved]:
    """Everything in the library: pictures, films, captions, each kind newest first. What is made of a poster is no
    thing of its own."""
    made, uses, texts = set(_made_of(media)), _uses(session), _texts(session)
    paths = [path for path in media.glob("[0-9a-f]*") if is_kept_name(path.name) and path.name not in made]
    found = [_shelved(path, uses, texts.get(path.name, {}), sent) for path in paths]
    newest = sorted(found, key=lambda one: (one.added_at, one.name), reverse=True)
    return sorted(newest, key=lambda one: KINDS.index(one.kind))


def text_for(session: Session, name: str, tag: str) -> str:
    """What a picture shows, in a language; empty where nobody has said it."""
    return _texts(session).get(name, {}).get(tag, "")


def describe(session: Session, media: Path, name: str, tag: str, text: str) -> list[Problem]:
    """Say what a picture shows, in a language; an empty text takes it back."""
    text = " ".join(text.split())
    if len(text) > MOST_ALT:
        message = N_("The text is too long here (letters: %(length)d, at most: %(most)d). Make it shorter.")
        return [Problem("media.long_text", message, {"length": len(text), "most": MOST_ALT})]
    row = session.scalar(select(MediaFile).where(MediaFile.name == name))
    if row is None:
        row = MediaFile(name=name, kind=kind_of(name), octets=(media / name).stat().st_size)
        session.add(row)
    row.texts = [one for one in row.texts if one.language != tag]
    session.flush()
    if text:
        row.texts.append(MediaText(language=tag, text=text))
        session.flush()
    return []


def remove(session: Session, media: Path, name: str, sent: Sent) -> list[Problem]:
    """Throw a file away, with what was made of it; or say why it has to stay."""
    if _uses(session).get(name) or any(sent(one) for one in (name, *_made_of(media, name))):
        return [Problem("media.used", N_("This file is used: it has to stay."))]
    session.execute(delete(MediaFile).where(MediaFile.name == name))
    for one in (*_made_of(media, name), *(path.name for path in _markers(media, name)), name):
        (media / one).unlink(missing_ok=True)
    return []


def _shelved(path: Path, uses: Mapping[str, set[_Use]], texts: Mapping[str, str], sent: Sent) -> Shelved:
    kind, stat, size = kind_of(path.name), path.stat(), (0, 0)
    if kind == "poster":
        with Image.open(path) as picture:
            size = picture.size
    used = uses.get(path.name, set())
    appeals, tags = (tuple(sorted(set(each) - {""})) for each in (zip(*used, strict=True) if used else ((), ())))
    drawn = not appeals and any(sent(one) for one in (path.name, *_made_of(path.parent, path.name)))
    added = datetime.fromtimestamp(stat.st_mtime, UTC)
    return Shelved(path.name, kind, stat.st_size, *size, added, texts, appeals, tags, drawn)


def _uses(session: Session) -> dict[str, set[_Use]]:
    """Name of a file -> who uses it."""
    found: dict[str, set[_Use]] = defaultdict(set)
    for appeal in session.scalars(select(Appeal).options(selectinload(Appeal.translations))):
        for name in (appeal.poster, appeal.video):
            found[name].add((appeal.slug, ""))
        for translation in appeal.translations:
            for field in MEDIA_FIELDS:
                found[getattr(translation, field)].add((appeal.slug, translation.language))
    return found


def _texts(session: Session) -> dict[str, dict[str, str]]:
    rows = session.execute(select(MediaFile.name, MediaText.language, MediaText.text).join(MediaText))
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, tag, text in rows:
        found[name][tag] = text
    return found


def _markers(media: Path, name: str = "*") -> Iterator[Path]:
    """The small files that say what was made of a poster: poster.py, and the member's pages, write them."""
    for suffix in ("composed", "light"):
        yield from media.glob(f".{name}.{suffix}")


def _made_of(media: Path, name: str = "*") -> tuple[str, ...]:
    return tuple(words[0] for path in _markers(media, name) if (words := path.read_text().split()))
