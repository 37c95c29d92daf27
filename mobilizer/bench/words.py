"""Bench: the words. The demo's appeal, made longer: a mail of about 30 KB with ten links that are told apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mobilizer.appeals.files import AppealFile, read_appeal
from mobilizer.demo import APPEAL
from mobilizer.demo.contents import FOLDER


def words() -> AppealFile:
    """The appeal as its file says it, in three languages. Its media lie in the demo's `FOLDER`.

    Watch and share are two links, the demo's text has two, and what is added here has six.
    """
    file = read_appeal((FOLDER / f"{APPEAL}.yaml").read_text(encoding="utf-8"))
    longer = {
        path.stem: _longer(file.translations[path.stem], path.read_text(encoding="utf-8"))
        for path in sorted((Path(__file__).parent / "content").glob("*.md"))
    }
    return replace(file, translations=longer)


def _longer(translation: Mapping[str, str], more: str) -> dict[str, str]:
    return {**translation, "body": f"{translation['body'].rstrip()}\n\n{more.strip()}"}
