"""The golden mails: what one fixed member gets, byte by byte, in each language and with and without a name.

A change to the templates, the catalogs or the encodings shows as a difference in tests/golden. Look at it; if it is
meant, write the files anew with `python -m tests.message.golden` and commit them with the change.
"""

from __future__ import annotations

from pathlib import Path

from mobilizer.message.compose import compose
from tests.message.samples import LANGUAGES, WHEN, recipient, rendition

FOLDER = Path(__file__).parents[1] / "golden"
NAMES = {"en": "Ana O'Neil", "es": "", "fr": "Zoë Lefèvre", "pt": 'João "Juca" Souza', "ar": "أمل حسن"}


def golden(language: str) -> bytes:
    """The mail as it is made now, unsigned: a signature is test_dkim's business."""
    return compose(rendition(language), recipient(NAMES[language]), WHEN, None)


def path_of(language: str) -> Path:
    """Where the mail of a language is kept."""
    return FOLDER / f"video-appeal.{language}.eml"


if __name__ == "__main__":
    for tag in LANGUAGES:
        path_of(tag).write_bytes(golden(tag))
