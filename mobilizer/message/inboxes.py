"""Message: the line that an inbox shows of a mail, cut as the usual programs cut it. Letters are never split."""

from __future__ import annotations

from dataclasses import dataclass

from wcwidth import iter_graphemes, width

from mobilizer.problems import N_

ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Inbox:
    """How much a mail program shows before it is opened: in letters, a wide one (日) counts as two.

    With `together` subject and preheader share one line, and `preheader` is what both have. Programs measure in pixels
    and people set their type larger: all of it is about so.
    """

    slug: str
    name: str
    screen: str
    subject: int
    preheader: int
    together: bool = False


INBOXES = (
    Inbox("gmail-phone", N_("Gmail on a phone"), "phone", subject=36, preheader=40),
    Inbox("apple-phone", N_("Mail on an iPhone"), "phone", subject=34, preheader=82),
    Inbox("gmail-desktop", N_("Gmail in a browser"), "desktop", subject=70, preheader=105, together=True),
    Inbox("apple-desktop", N_("Mail on a Mac"), "desktop", subject=52, preheader=108),
)


def shown_in(inbox: Inbox, subject: str, preheader: str) -> tuple[str, str]:
    """(subject, preheader) as an inbox cuts them; the preheader is empty where the subject takes all the room."""
    line = cut(subject, inbox.subject)
    room = inbox.preheader - (letters(line) + 3 if inbox.together else 0)
    return line, cut(preheader, room) if room > 1 else ""


def letters(text: str) -> int:
    """How many letters wide a text is on one line."""
    return sum(max(width(one), 1) for one in iter_graphemes(text))


def cut(text: str, most: int) -> str:
    """The start of a line in `most` letters, with an ellipsis where something is cut off; a letter, its marks and
    what it is joined with (UAX 29) stay together."""
    if letters(text) <= most:
        return text
    kept, room = "", most - 1
    for one in iter_graphemes(text):
        room -= max(width(one), 1)
        if room < 0:
            break
        kept += one
    return kept.rstrip() + ELLIPSIS
