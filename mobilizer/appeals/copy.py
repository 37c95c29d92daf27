"""Appeals: a translation's words, handed to the message craft."""

from __future__ import annotations

from mobilizer.appeals.appeals import Translation
from mobilizer.appeals.variants import FIRST, wording
from mobilizer.message.content import Copy


def to_copy(translation: Translation, variant: str = FIRST) -> Copy:
    """The raw words of a translation in one of its variants, with merge tags and Markdown."""
    subject, body = wording(translation, variant)
    return Copy(
        language=translation.language,
        title=translation.title,
        subject=subject,
        preheader=translation.preheader,
        greeting=translation.greeting,
        greeting_nameless=translation.greeting_nameless,
        body=body,
        button=translation.button,
        poster_alt=translation.poster_alt,
        share_text=translation.share_text,
    )


def to_discreet_copy(translation: Translation) -> Copy:
    """The words of a mail that does not say what it is about: nothing else of the appeal is in it."""
    return Copy(
        language=translation.language,
        title=translation.discreet_subject,
        subject=translation.discreet_subject,
        preheader=translation.discreet_preheader,
        greeting="",
        greeting_nameless="",
        body="",
        button="",
        poster_alt="",
        share_text="",
    )
