"""Our signatures verify with an independent verifier, and stop verifying as soon as anything is changed or added."""

from __future__ import annotations

import base64
import re

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from mobilizer.message.compose import compose
from mobilizer.message.dkim import BadSigningKey, Signer
from tests.message.samples import LANGUAGES, WHEN, recipient, rendition

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RECORD = b"v=DKIM1; k=rsa; p=" + base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
)
ALL = {tag: rendition(tag) for tag in LANGUAGES}


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


SIGNER = Signer("lights.example.org", "s2026", pem(KEY))


def verifies(content: bytes) -> bool:
    asked: list[bytes] = []

    def record(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return RECORD

    good = bool(dkim.verify(content, dnsfunc=record))
    assert set(asked) <= {b"s2026._domainkey.lights.example.org."}
    return good


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_signed_mail_verifies(language: str) -> None:
    assert verifies(compose(ALL[language], recipient(), WHEN, SIGNER))


@settings(max_examples=40)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=120), st.sampled_from(LANGUAGES))
def test_it_verifies_whatever_the_name_and_after_dot_stuffing(name: str, language: str) -> None:
    content = compose(ALL[language], recipient(name), WHEN, SIGNER)
    stuffed = re.sub(rb"(?m)^\.", b"..", content)
    assert stuffed == content, "no line starts with a dot, so a relay that forgets to unstuff does no harm"
    assert verifies(content)


def test_folding_and_blanks_on_the_way_do_no_harm() -> None:
    content = compose(ALL["ar"], recipient("أمل"), WHEN, SIGNER)
    assert verifies(content.replace(b"Precedence: bulk", b"precedence:   bulk "))
    assert verifies(content + b"\r\n\r\n")


@pytest.mark.parametrize(
    "change",
    [
        lambda mail: mail.replace(b"Dear Ana", b"Dear Eve"),
        lambda mail: mail.replace(b"To: Ana", b"To: Eve"),
        lambda mail: mail.replace(b"Subject: Ana", b"Subject: Eve"),
        lambda mail: mail.replace(b"/u/", b"/x/", 1),
        lambda mail: b"Subject: another\r\n" + mail,
        lambda mail: b"From: eve@example.org\r\n" + mail,
        lambda mail: b"Reply-To: eve@example.org\r\n" + mail,
        lambda mail: b"List-Unsubscribe: <https://eve.example.org/>\r\n" + mail,
    ],
)
def test_a_changed_or_added_header_or_word_is_seen(change) -> None:  # type: ignore[no-untyped-def]
    content = compose(ALL["en"], recipient(), WHEN, SIGNER)
    changed = change(content)
    assert changed != content
    assert not verifies(changed)


def test_the_signature_covers_what_one_click_unsubscribe_needs() -> None:
    content = compose(ALL["en"], recipient(), WHEN, SIGNER)
    signature = re.sub(rb"\s+", b"", content[: content.index(b"bh=")])
    signed = re.search(rb"h=([^;]+);", signature)
    assert signed
    names = signed[1].split(b":")
    assert names.count(b"list-unsubscribe") == 2
    assert names.count(b"list-unsubscribe-post") == 2
    assert names.count(b"from") == 2
    assert names.count(b"reply-to") == 1
    assert all(len(line) <= 76 for line in content.split(b"\r\n\r\n")[0].split(b"\r\n")[:12])


def test_a_key_that_cannot_sign_is_refused_in_words() -> None:
    for bad in (b"", b"-----BEGIN NOTHING-----", pem(ec.generate_private_key(ec.SECP256R1()))):
        with pytest.raises(BadSigningKey, match="RSA"):
            Signer("lights.example.org", "s2026", bad)
    with pytest.raises(BadSigningKey, match="selector"):
        Signer("lights.example.org", "s2026; x=1", pem(KEY))
