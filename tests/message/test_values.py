"""However fast a mail is filled, each of its places says what is written down here, slowly, for a slot alone."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import escape
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mobilizer.catalogs import phrases
from mobilizer.message.compile import compile_rendition, links_of
from mobilizer.message.compose import compose, html_of, mail, return_path, subject_of, text_of
from mobilizer.message.content import Copy, Recipient
from mobilizer.message.headers import BadHeader
from mobilizer.message.pieces import Line, Slot, clean
from mobilizer.message.rendition import Rendition
from mobilizer.message.values import Voice, long_date
from tests.message.samples import TOKENS, WHEN, frame, recipient, rendition

TAGS = '{{ name | "a friend" }} {{first_name}}, {{ country | "<here> & there" }}. {{ list }}'
HOSTILE = (
    "", " ", "Ana", "Ana María de la O", "Zoë", "أمل حسن", "👩🏽\u200d🚀 x", "a" * 400, "ن" * 200, "0" * 47, "end ",
    "<script>alert('x')</script>", '"&quot;"', "x\r\nBcc: eve@example.org\r\n\r\nbody", "\0\x1b[2J", "\u202eevil\u202c",
    ".", ". dots", "From here", "F", "%b %s %(x)s %", "=?utf-8?b?eA==?=", "=3D=\r\n", "{{ name }}{% x %}", "\ud800",
)  # fmt: skip
SAID = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=90))
PEOPLE = st.builds(
    lambda name, list_name, country: recipient(name, list_name=list_name, values={"country": country, "age": 7}),
    SAID, SAID, SAID,
)  # fmt: skip


def made(language: str, words: str) -> Rendition:
    fields = dict.fromkeys(("title", "preheader", "button", "poster_alt", "share_text"), TAGS)
    greeting = {"greeting": f"Dear & {TAGS}:", "greeting_nameless": 'Hello {{ country | "<you>" }}'}
    copy = Copy(
        language=language, subject=f"= {TAGS}", body=f"{words}\n\n.{TAGS}\n\nFrom **{TAGS}**", **fields, **greeting
    )
    return compile_rendition(copy, frame(language), links_of(copy), phrases("member", language))


ALL = {
    "both quoted": made("en", "Love always wins. " * 20),
    "both in base64": made("ar", "الحب ينتصر دائمًا. " * 800),
    "one of each": made("ar", "الحب ينتصر."),
    "with a fixed subject": rendition("es"),
}


def slowly(rendition: Rendition, to: Recipient, slot: Slot) -> str:
    """What a slot says, with nothing worked out before."""
    name = clean(to.name)
    known = to.tokens._asdict() | {
        "share_code": to.share_code,
        "name": name,
        "first_name": name.partition(" ")[0],
        "list": clean(to.list_name),
        "joined_on": long_date(to.joined_on, rendition.language),
        "country": clean(str(to.values.get("country", ""))),
    }
    if slot.field == "pixel":
        return (
            f'<a href="{rendition.base_url}/c/{to.tokens.click}/0" style="display:none" tabindex="-1" '
            'aria-hidden="true"></a>'
            f'<img src="{rendition.base_url}/o/{to.tokens.open}.gif" width="1" height="1" alt="" border="0" '
            'style="display:block;width:1px;height:1px">'
        )
    if slot.field == "greeting":
        line = rendition.greeting if name else rendition.greeting_nameless
        if slot.form == "plain":
            return filled(rendition, to, line)
        said = [(piece, escape(piece if isinstance(piece, str) else slowly(rendition, to, piece))) for piece in line]
        return "".join(word if isinstance(piece, str) else f"<bdi>{word}</bdi>" for piece, word in said)
    value = known[slot.field] or slot.fallback
    return escape(value) if slot.form == "html" else value


def filled(rendition: Rendition, to: Recipient, line: Line) -> str:
    return "".join(piece if isinstance(piece, str) else slowly(rendition, to, piece) for piece in line)


def read(content: bytes) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(content, policy=default))


def part_of(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n").removesuffix("\n")


def test_both_encodings_are_there_alone_and_side_by_side() -> None:
    def encodings(name: str) -> list[str]:
        return [
            part["Content-Transfer-Encoding"] for part in read(compose(ALL[name], recipient(), WHEN, None)).iter_parts()
        ]

    assert encodings("both quoted") == ["quoted-printable"] * 2
    assert encodings("both in base64") == ["base64"] * 2
    assert encodings("one of each") == ["base64", "quoted-printable"]


@given(st.sampled_from(sorted(ALL)), PEOPLE)
@example("both in base64", recipient(""))
@example("both quoted", recipient(".", list_name="Fine", values={"country": "a  b"}))
def test_a_mail_says_what_each_of_its_slots_says(kind: str, to: Recipient) -> None:
    rendition = ALL[kind]
    message = read(compose(rendition, to, WHEN, None))
    text, html, subject = (filled(rendition, to, line) for line in (rendition.text, rendition.html, rendition.subject))
    assert part_of(message, "plain") == text_of(rendition, to) == text
    assert part_of(message, "html") == html_of(rendition, to).removesuffix("\n") == html.removesuffix("\n")
    assert message["Subject"] == subject_of(rendition, to) == clean(subject)
    assert sorted(message.keys()) == sorted(read(compose(rendition, recipient(), WHEN, None)).keys())


@given(st.lists(PEOPLE, min_size=2, max_size=4), st.sampled_from(sorted(ALL)))
def test_nobody_finds_anything_of_who_came_before(people: list[Recipient], kind: str) -> None:
    alone = [compose(replace(ALL[kind]), to, WHEN, None) for to in people]  # another object: nothing is kept of it
    assert [compose(ALL[kind], to, WHEN, None) for to in people] == alone


@given(PEOPLE)
def test_a_picture_that_is_left_out_takes_nothing_with_it(to: Recipient) -> None:
    whole, without = (html_of(ALL["both quoted"], to, pixel=pixel) for pixel in (True, False))
    assert whole.replace(slowly(ALL["both quoted"], to, Slot("pixel", form="html")), "") == without


def test_a_slot_that_nothing_is_known_of_is_empty_or_its_fallback() -> None:
    line = (Slot("age"), Slot("shoe_size", "?"), Slot("shoe_size"), Slot("age", form="html"))
    voice = Voice(ALL["both quoted"], line)
    said = dict(zip(voice.slots, voice.say(recipient(values={"age": 7})), strict=True))
    assert [said[slot] for slot in line] == ["7", "?", "", "7"]


@pytest.mark.parametrize("token", ["", "short", "a" * 51, "A" * 50, "a" * 49 + "\n", "a" * 49 + "é", "a" * 48 + ">,"])
@pytest.mark.parametrize("purpose", TOKENS._fields)
def test_what_is_no_token_goes_into_no_mail(purpose: str, token: str) -> None:
    with pytest.raises(BadHeader):
        compose(ALL["both quoted"], recipient(tokens=TOKENS._replace(**{purpose: token})), WHEN, None)


def test_the_envelope_is_that_of_the_mail() -> None:
    made = mail(ALL["both quoted"], recipient(address="ana@bücher.example"), WHEN, None)
    assert made.recipient == "ana@xn--bcher-kva.example"
    assert made.sender == return_path(ALL["both quoted"], recipient())
    assert read(made.content)["To"].addresses[0].addr_spec == made.recipient
