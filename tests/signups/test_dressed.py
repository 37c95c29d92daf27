"""The letters of a sign-up as they are drawn: in every language, with any name, with no picture that counts."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest
from lxml import html as lxml_html

from mobilizer.catalogs import phrases
from mobilizer.languages import MEMBER_LANGUAGES, language
from mobilizer.message import letter as drawing
from mobilizer.message.letter import Film, compile_letter, letter_html
from mobilizer.tracking import Tracking
from tests.signups.golden import KEPT, VALUES, dresses, film_in, frame_with, golden, path_of

ODD = '<b>"O\'Neil" & 100 %(x)s {{ name }} %s</b>'


@pytest.mark.parametrize(("kind", "tag"), KEPT)
def test_the_letter_is_the_one_that_was_looked_at(kind: str, tag: str) -> None:
    assert golden(kind, tag) == path_of(kind, tag).read_bytes(), "look, then: python -m tests.signups.golden"


@pytest.mark.parametrize(("kind", "tag"), KEPT)
def test_both_parts_say_it_and_no_line_is_too_long(kind: str, tag: str) -> None:
    raw = golden(kind, tag)
    mail = message_from_bytes(raw, policy=default)
    text, html = mail.iter_parts()
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in (text, html)] == ["text/plain", "text/html"]
    assert VALUES["link"] in text.get_content()
    assert ("List-Unsubscribe-Post" in mail) == (kind != "confirm")
    body = raw.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert all(line.isascii() and len(line) <= 78 and line[:1] != b"." for line in body)
    page = lxml_html.document_fromstring(html.get_content())
    links = {one.get("href") for one in page.iter("a")}
    wanted = {
        "confirm": {VALUES["link"]},
        "already": {VALUES["link"], VALUES["unsubscribe"], VALUES["preferences"]},
        "welcome": {
            f"https://act.example.org/w/the-light/{tag}/k7mpq2xv9w?own=1",
            f"https://act.example.org/w/the-light/{tag}/k7mpq2xv9w?own=1#share",
            "https://act.example.org/s/k7mpq2xv9w/light-in-the-window?c=mail",
            VALUES["unsubscribe"],
            VALUES["preferences"],
        },
    }
    assert links == wanted[kind]
    pictures = [one.get("src") for one in page.iter("img")]
    assert pictures == (["https://act.example.org/media/0123abcd.jpg"] if kind == "welcome" else [])


@pytest.mark.parametrize("tag", MEMBER_LANGUAGES)
def test_every_letter_speaks_the_language_to_the_last_word(tag: str) -> None:
    here, english = language(tag), {kind: letter for kind, letter, _ in dresses("en")}
    for kind, letter, _said in dresses(tag, film_in("en")):
        html = letter_html(compile_letter(letter, frame_with(letter.film), phrases("member", tag)), VALUES)
        page = lxml_html.document_fromstring(html)
        assert (page.get("lang"), page.get("dir")) == (here.tag, here.direction), kind
        assert {cell.get("dir") for cell in page.iter("td") if cell.get("dir")} == {here.direction}
        assert not re.search(r"%\(|mz[0-9a-f]{10}q", html)
        assert (letter.subject == english[kind].subject) == (tag == "en")
        assert (letter.before == english[kind].before) == (tag == "en")
        if kind == "welcome" and tag != "en":
            # The film's words keep the language that they are in.
            (said,) = page.xpath('//div[contains(@class, "quote")]/span')
            assert (said.get("lang"), said.get("dir")) == ("en", "ltr")


def test_odd_names_are_words_and_nothing_else() -> None:
    film = Film("en", ODD, ODD, ODD)
    for kind, letter, _said in dresses("en", film):
        frame = replace(frame_with(letter.film), organisation=ODD, postal_address=ODD)
        values = {**VALUES, "list": ODD + "\r\n<script>"}
        html = letter_html(compile_letter(letter, frame, phrases("member", "en")), values)
        assert "<b>" not in html, kind
        assert "<script" not in html
        page = lxml_html.document_fromstring(html)
        names = {one.text_content() for one in page.iter("bdi")}
        assert {ODD, f"{ODD} <script>"} <= names
        assert ODD in page.xpath('string(//td[contains(@class, "masthead")])')


@pytest.mark.parametrize("tracking", [Tracking.OFF, Tracking.SUMS])
def test_a_list_that_counts_nobody_gives_nobody_a_link_of_their_own(tracking: Tracking) -> None:
    _, letter, _said = [*dresses("en", film_in("en"))][-1]
    frame = replace(frame_with(letter.film), tracking=tracking)
    html = letter_html(compile_letter(letter, frame, phrases("member", "en")), VALUES)
    assert VALUES["share_code"] not in html
    assert "own=1" not in html
    assert 'href="https://act.example.org/w/the-light/en"' in html


def test_a_member_whose_value_is_missing_gets_no_letter_with_a_gap() -> None:
    _, letter, _said = next(dresses("en"))
    line = compile_letter(letter, frame_with(None), phrases("member", "en"))
    with pytest.raises(KeyError):
        letter_html(line, {drawing.LIST: "News"})
