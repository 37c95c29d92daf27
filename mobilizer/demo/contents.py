"""Demo: its appeals, read from their files like any other appeal's."""

from __future__ import annotations

from pathlib import Path

import yaml
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.fields import FIELDS
from mobilizer.appeals.media import keep
from mobilizer.installation import Installation

FOLDER = Path(__file__).parent / "content"


def read_content(session: Session, installation: Installation, slug: str) -> Appeal:
    """Read one of the demo's appeals into the database and its media into the media folder."""
    data = yaml.safe_load((FOLDER / f"{slug}.yaml").read_text(encoding="utf-8"))

    def kept(name: str) -> str:
        return keep(installation.settings.media, (FOLDER / name).read_bytes(), Path(name).suffix) if name else ""

    appeal = Appeal(
        slug=data["slug"],
        template=data["template"],
        source_language=data["source_language"],
        video=kept(data["video"]),
        poster=kept(data["poster"]),
        video_seconds=data["video_seconds"],
    )
    for tag, words in data["translations"].items():
        fields = {field.name: words[field.name].strip() for field in FIELDS}
        appeal.translations.append(Translation(language=tag, captions=kept(words["captions"]), **fields))
    session.add(appeal)
    session.flush()
    return appeal
