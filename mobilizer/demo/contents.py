"""Demo: its appeals, read from their files like any other appeal's."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.files import put_appeal, read_appeal
from mobilizer.installation import Installation

FOLDER = Path(__file__).parent / "content"


def read_content(session: Session, installation: Installation, slug: str) -> Appeal:
    """Read one of the demo's appeals into the database and its media into the media folder."""
    file = read_appeal((FOLDER / f"{slug}.yaml").read_text(encoding="utf-8"))
    return put_appeal(session, installation.settings.media, file, FOLDER)
