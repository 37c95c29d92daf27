"""A composed mail, read by Python's own parser: each member's words, links and headers, and nobody else's."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import unescape
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mobilizer.catalogs import phrases
from mobilizer.message.compile import compile_rendition, links_of
from mobilizer.message.compose import (
    compose,
    envelope_recipient,
    html_of,
    preheader_of,
    return_path,
    subject_of,
    text_of,
)
from mobilizer.message.content import Copy, Recipient
from mobilizer.message.headers import Unaddressable
from mobilizer.message.pieces import clean
from mobilizer.message.rendition import Rendition, UnreadableRendition
from tests.message.samples import COPIES, LANGUAGES, TOKENS, WHEN, frame, recipient, rendition

ALL = {tag: rendition(tag) for tag in LANGUAGES}
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def read(content: bytes) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(content, policy=default))


def part_of(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def mail(language: str = "en", to: Recipient | None = None) -> EmailMessage:
    return read(compose(ALL[language], to or recipient(), WHEN, None))


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_parts_arrive_as_they_were_meant(language: str) -> None:
    message = mail(language)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert part_of(message, "plain").rstrip("\n") == text_of(ALL[language], recipient())
    assert part_of(message, "html").rstrip("\n") == html_of(ALL[language], recipient()).rstrip("\n")
    assert message["Subject"] == subject_of(ALL[language], recipient())
    assert not message.defects
    assert all(not part.defects for part in message.walk())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_is_short_ascii_with_crlf(language: str) -> None:
    head, _, body = compose(ALL[language], recipient(), WHEN, None).partition(b"\r\n\r\n")
    for line in (head + b"\r\n" + body).split(b"\r\n"):
        assert b"\n" not in line
        assert b"\r" not in line
        assert line.isascii()
        assert not line.startswith((b".", b"From "))
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    # A header line is longer only where a single address can't be broken.
    assert all(len(line) <= 76 or len(line.split()) <= 2 for line in head.split(b"\r\n"))


@given(NAMES)
@example('Ana "the light" O\'Neil')
@example("<script>alert(1)</script>")
@example("x\r\nBcc: everyone@example.org\r\n\r\nbody")
@example("{{ organisation }} {% raw %}")
@example("👩🏽‍🚀 سلمى")
@example("ن" * 200)
@example("\0")
def test_any_name_arrives_intact_and_changes_nothing_else(name: str) -> None:
    plain, message = mail(), mail(to=recipient(name))
    assert sorted(message.keys()) == sorted(plain.keys())
    if clean(name):
        first = clean(name).partition(" ")[0]
        assert f"\nDear {first},\n" in part_of(message, "plain")
        assert f"Thank you, {clean(name)}, from" in part_of(message, "plain")
        assert message["Subject"] == f"{first}, two minutes that stay with you"
        (shown,) = re.findall(r"Thank you, <bdi>(.*?)</bdi>", part_of(message, "html"))
        assert "<" not in shown
        assert unescape(shown) == clean(name)
    else:
        assert "\nDear friend,\n" in part_of(message, "plain")
        assert "Thank you, <bdi>friend</bdi>" in part_of(message, "html")
        assert message["Subject"] == "Friend, two minutes that stay with you"


@given(name=NAMES, list_name=NAMES, country=NAMES)
def test_no_value_can_break_a_line_rule(name: str, list_name: str, country: str) -> None:
    to = recipient(name, list_name=list_name, values={"country": country})
    content = compose(ALL["ar"], to, WHEN, None)
    assert all(len(line) <= 998 and not line.startswith(b".") for line in content.split(b"\r\n"))
    assert sorted(read(content).keys()) == sorted(mail("ar").keys())
    assert part_of(read(content), "html").rstrip("\n") == html_of(ALL["ar"], to).rstrip("\n")


def test_the_headers_of_a_mailing_list_are_all_there() -> None:
    message = mail()
    assert message["From"] == "Lights On <hello@lights.example.org>"
    assert message["To"] == "Ana Silva <ana@mail.example.net>"
    assert message["Date"].datetime == WHEN
    assert message["Message-ID"] == f"<{TOKENS.message}@bounce.lights.example.org>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-ID"] == "Friends of the light <friends.bounce.lights.example.org>"
    assert message["Feedback-ID"] == "light-in-the-window:en:video-appeal:lightsexampleor"
    assert message["Precedence"] == "bulk"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert message["Content-Language"] == "en"
    assert message["Reply-To"] is None


def test_unsubscribe_is_never_an_encoded_word_and_folds_between_its_addresses() -> None:
    content = compose(ALL["ar"], recipient(), WHEN, None).decode()
    assert (
        f"List-Unsubscribe: <https://act.example.org/u/{TOKENS.unsubscribe}>,\r\n"
        f" <mailto:u+{TOKENS.unsubscribe}@bounce.lights.example.org>\r\n" in content
    )


def test_reply_to_is_there_if_it_is_set() -> None:
    answered = rendition(reply_to="answers@lights.example.org")
    assert read(compose(answered, recipient(), WHEN, None))["Reply-To"] == "answers@lights.example.org"


def test_nothing_of_the_member_is_in_a_header_but_their_own_name_and_address() -> None:
    to = recipient("Zuleika Quillfeather", "zuleika@secret.example", values={"country": "Ruritania"})
    message = mail("es", to)
    del message["To"]
    del message["Subject"]
    headers = "\n".join(f"{name}: {value}" for name, value in message.items()).lower()
    assert not re.search("zuleika|quillfeather|secret|ruritania", headers)
    links = " ".join(re.findall(r'https?://[^"\s]+', part_of(message, "html") + part_of(message, "plain"))).lower()
    assert not re.search("zuleika|quillfeather|secret|ruritania|@", links)


def test_each_link_carries_the_token_of_its_own_purpose() -> None:
    for kind in ("plain", "html"):
        body = unescape(part_of(mail("fr"), kind))
        for n in (1, 2, 3):
            assert f"https://act.example.org/c/{TOKENS.click}/{n}" in body
        assert f"https://act.example.org/u/{TOKENS.unsubscribe}" in body
        assert f"https://act.example.org/p/{TOKENS.preferences}" in body
        assert f"https://act.example.org/v/{TOKENS.view}/ar" in body
        assert "https://act.example.org/s/k7mpq2xv9w/light-in-the-window" in body
        assert TOKENS.bounce not in body
        assert "story.example.org" not in body


def test_the_text_part_has_every_link_of_the_html_part() -> None:
    hrefs = set(re.findall(r'href="([^"]+)"', part_of(mail("pt"), "html")))
    addresses = set(re.findall(r"https://[^\s)]+", part_of(mail("pt"), "plain")))
    hidden = f"/c/{TOKENS.click}/0"  # from people
    followed = "?c=mail"  # where it is followed, not copied
    assert {unescape(href).removesuffix(followed) for href in hrefs if not href.endswith(hidden)} == addresses


def test_looking_in_the_browser_is_not_an_open() -> None:
    assert f"/o/{TOKENS.open}.gif" in html_of(ALL["en"], recipient())
    assert "/o/" not in html_of(ALL["en"], recipient(), pixel=False)


def test_the_return_path_names_the_delivery_and_fits() -> None:
    path = return_path(ALL["en"], recipient())
    assert path == f"b+{TOKENS.bounce}@bounce.lights.example.org"
    assert len(path.partition("@")[0]) <= 64


def test_an_international_address_goes_as_a_labels_or_not_at_all() -> None:
    assert envelope_recipient(recipient(address="ana@bücher.example")) == "ana@xn--bcher-kva.example"
    with pytest.raises(Unaddressable):
        compose(ALL["en"], recipient(address="añil@example.org"), WHEN, None)


def test_the_same_in_gives_the_same_out() -> None:
    again = Rendition.loads(rendition("ar").dumps())
    assert again.content_hash == ALL["ar"].content_hash
    assert compose(again, recipient(), WHEN, None) == compose(ALL["ar"], recipient(), WHEN, None)


def test_a_rendition_of_another_version_is_not_guessed_at() -> None:
    for text in ("", "[]", "{}", ALL["en"].dumps().replace('"format":1', '"format":99')):
        with pytest.raises(UnreadableRendition):
            Rendition.loads(text)


def test_the_inbox_line_is_the_subject_and_the_preheader() -> None:
    assert preheader_of(ALL["es"], recipient()) == COPIES["es"].preheader
    assert subject_of(ALL["es"], recipient("")) == "Hola: dos minutos que se quedan contigo"


@settings(max_examples=20)
@given(st.lists(st.sampled_from(["name", "first_name", "country", "list"]), max_size=6), NAMES, NAMES)
def test_every_merge_tag_is_filled_in_every_field(tags: list[str], name: str, country: str) -> None:
    words = "a " + " ".join(f'{{{{ {tag} | "x y" }}}}' for tag in tags) + " z"
    copy = Copy("en", words, words, words, words, words, words, words, words, words)
    made = compile_rendition(copy, frame(), links_of(copy), phrases("member", "en"))
    to = recipient(name, values={"country": country})
    said = {
        "name": clean(name) or "x y",
        "first_name": clean(name).partition(" ")[0] or "x y",
        "country": clean(country) or "x y",
        "list": "Friends of the light",
    }
    wanted = clean("a " + " ".join(said[tag] for tag in tags) + " z")
    message = read(compose(made, to, datetime(2026, 1, 1, tzinfo=UTC), None))
    assert message["Subject"] == wanted
    text = clean(part_of(message, "plain").replace("\n", " "))
    assert text.count(wanted) >= 4
    assert "mz" not in re.sub(re.escape(wanted), "", text)
