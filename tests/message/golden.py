"""The golden mails: what one fixed member gets, byte by byte, in each language and with and without a name.

A change to the templates, the catalogs or the encodings shows as a difference in tests/golden. Look at it; if it is
meant, write the files anew with `python -m tests.message.golden` and commit them with the change.
"""

from __future__ import annotations

from pathlib import Path

from mobilizer.message.compose import compose
from mobilizer.message.templates import templates
from tests.message.samples import LANGUAGES, WHEN, recipient, rendition

FOLDER = Path(__file__).parents[1] / "golden"
NAMES = {"en": "Ana O'Neil", "es": "", "fr": "Zoë Lefèvre", "pt": 'João "Juca" Souza', "ar": "أمل حسن"}


# The usual template in every language, the others in one that reads from each side.
KEPT = [("video-appeal", tag) for tag in LANGUAGES]
KEPT += [(template.slug, tag) for template in templates()[1:] for tag in ("en", "ar")]


def golden(template: str, language: str) -> bytes:
    """The mail as it is made now, unsigned: a signature is test_dkim's business."""
    return compose(rendition(language, template=template), recipient(NAMES[language]), WHEN, None)


def path_of(template: str, language: str) -> Path:
    """Where the mail of a template and a language is kept."""
    return FOLDER / f"{template}.{language}.eml"


if __name__ == "__main__":
    for kept in KEPT:
        path_of(*kept).write_bytes(golden(*kept))
