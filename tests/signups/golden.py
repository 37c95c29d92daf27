"""The golden letters of a sign-up, byte by byte. Look at a change; `python -m tests.signups.golden` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mobilizer.catalogs import phrases
from mobilizer.languages import isolated
from mobilizer.message.content import Frame
from mobilizer.message.letter import Film, Letter, compile_letter, letter_html
from mobilizer.message.plain import PlainMail, plain
from mobilizer.signups import dressed, letters
from tests.message.samples import COPIES, WHEN, frame

FOLDER = Path(__file__).parents[1] / "golden"
KEPT = [(kind, tag) for kind in ("confirm", "already", "welcome") for tag in ("en", "ar")]
LEAVE = f"https://act.example.org/u/{'7' * 50}"
VALUES = {
    "link": f"https://act.example.org/k/{'5' * 50}",
    "list": "Friends of the light",
    "joined_on": "3 May 2026",
    "share_code": "k7mpq2xv9w",
    "unsubscribe": LEAVE,
    "preferences": f"https://act.example.org/p/{'6' * 50}",
}


def dresses(tag: str, film: Film | None = None) -> Iterator[tuple[str, Letter, tuple[str, ...]]]:
    """Each letter in a language: its kind, how it is drawn, and the phrases of its text."""
    usual = letters.USUAL
    asked, already, welcome = (usual.confirm, letters.KEPT), (usual.already,), usual.welcome
    yield "confirm", dressed.simple(tag, usual.confirm_subject, asked, dressed.PRESS, footer=False), asked
    yield "already", dressed.simple(tag, usual.already_subject, already, dressed.CHANGE, footer=True), already
    yield "welcome", dressed.welcome(tag, usual.welcome_subject, welcome, film), (welcome, letters.PASS_ON)


def frame_with(film: Film | None) -> Frame:
    """The frame of the sample blast, with its film or without."""
    usual = frame(page_slug="the-light", other_languages=())
    return usual if film else replace(usual, poster_url="", video_seconds=0)


def film_in(tag: str) -> Film:
    """The film of the sample blast."""
    copy = COPIES[tag]
    return Film(tag, copy.title, copy.poster_alt, copy.share_text)


def golden(kind: str, tag: str) -> bytes:
    """The letter as it is made now, unsigned."""
    say, film = phrases("member", tag).gettext, film_in(tag) if kind == "welcome" else None
    letter, said = next(found[1:] for found in dresses(tag, film) if found[0] == kind)
    named = {"organisation": isolated("Lights On"), "list": isolated(VALUES["list"]), "link": VALUES["link"]}
    return plain(
        PlainMail(
            sender_name="Lights On",
            sender_address="hello@lights.example.org",
            name="",
            address="ana@mail.example.net",
            subject=letter.subject,
            text="\n".join(say(one) % named for one in said),
            language=tag,
            message_id="letter-1@bounce.lights.example.org",
            unsubscribe="" if kind == "confirm" else LEAVE,
            html=letter_html(compile_letter(letter, frame_with(film), phrases("member", tag)), VALUES),
        ),
        WHEN,
        None,
    )


def path_of(kind: str, tag: str) -> Path:
    """Where the letter of a kind and a language is kept."""
    return FOLDER / f"letter-{kind}.{tag}.eml"


if __name__ == "__main__":
    for kept in KEPT:
        path_of(*kept).write_bytes(golden(*kept))
