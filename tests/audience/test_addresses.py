"""Addresses: one mailbox, one normal form; what is none is explained."""

from __future__ import annotations

import unicodedata

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.provisional import domains

from mobilizer.audience.addresses import BadAddress, is_usual, normalise, split_display

# Pieces that addresses and their mistakes are made of, so that guesses come near to the border.
PIECES = st.lists(
    st.sampled_from(
        [*"abzAZ019.-_+'`@@ <>\"\\,;:()é用ßａ＠。", "xn--", "example", ".org", ".com", ".test", ".local", "İ"]
    ),
    max_size=12,
).map("".join)
NEARLY = st.one_of(
    PIECES,
    st.tuples(PIECES, PIECES).map("@".join),
    st.tuples(PIECES, domains()).map("@".join),
    st.tuples(PIECES, PIECES).map(lambda pair: f"{pair[0]}@{pair[1]}.org"),
    st.emails(),
    st.text(),
)


@given(NEARLY)
@example("a@xn--a.org")
@example("a@ab--c.org")
@example("a@example.c0")
@example("a@b.123")
@example(f"{'x' * 65}@example.org")
@example(f"a@{'x' * 63}.{'y' * 63}.{'z' * 63}.{'w' * 63}.org")
@example("a@site.localhost")
@example("a@x.co-m")
def test_the_quick_look_accepts_nothing_that_the_validator_refuses(text: str) -> None:
    plain = text.lower()
    if is_usual(plain):
        found = validate_email(plain, check_deliverability=False, strict=True, test_environment=True)
        assert f"{found.local_part}@{found.ascii_domain}" == plain


@given(NEARLY)
def test_verdicts_are_the_validators_own(text: str) -> None:
    bare = split_display(text)[1]
    try:
        validate_email(bare, check_deliverability=False, strict=True, test_environment=True)
        good = True
    except EmailNotValidError:
        good = False
    try:
        normalise(text)
        taken = True
    except BadAddress:
        taken = False
    # Only lower case of odd letters may cost a good address its goodness; nothing bad is ever taken.
    assert taken == good or (good and not bare.isascii())


@pytest.mark.parametrize(
    "text",
    [
        # RFC 5322 and 5321: what may stand before the @, and what only looks like it.
        "a@b.org", "Abc@example.com", "a.b-c+d@example.co.uk", "!#$%&'*+-/=?^_`{|}~@example.org", "1234@example.org",
        ".a@example.org", "a.@example.org", "a..b@example.org", '"a b"@example.org', '"@"@example.org', "a\\@b.org",
        "a(note)@example.org", "a@example.org(note)", "a b@example.org", "a@b@example.org", "a,b@example.org",
        "@", "a@",
        "a@example.org\n", "a@exam\nple.org", "a@\u2003example.org", "\u0300a@example.org", "a\u200b@example.org",
        # How long it may be.
        f"{'a' * 64}@example.org", f"{'a' * 65}@example.org", f"a@{'b' * 63}.org", f"a@{'b' * 64}.org",
        f"a@{'.'.join(['b' * 60] * 4)}.org", f"a@{'.'.join(['b' * 61] * 4)}.orgs", f"{'é' * 33}@example.org",
        # Domains.
        "a@example", "a@.example.org", "a@example..org", "a@example.org.", "a@-example.org", "a@example-.org",
        "a@exa_mple.org", "a@example.1", "a@1.2.3.4", "a@[127.0.0.1]", "a@[IPv6:::1]", "a@ab--cd.org", "a@example.c-d",
        "a@localhost", "a@mail.localhost", "a@host.local", "a@host.test", "a@host.invalid", "a@host.onion", "a@x.arpa",
        # Internationalised addresses and domains (RFC 6531, 5890, UTS 46).
        "josé@example.org", "ñoñó@example.com", "葉士豪@臺網中心.tw", "甲斐@黒川.日本", "чебурашка@ящик.рф",
        "संपर्क@डाटामेल.भारत",
        "δοκιμή@παράδειγμα.gr", "jeff@臺網中心.tw", "ana@bücher.de", "ana@BÜCHER.de", "ana@xn--bcher-kva.de",
        "ana@faß.de",
        "ana@xn--a.org", "ana@ex\u0301mple.org", "ana@\u202eexample.org", "ana@☃.org", "ana@a\u200db.org",
        "ana@例え．テスト",
        "\uff41na@example.org", "ana@\uff45xample.org", "e\u0301va@example.org", "\u212bsa@example.org",
        "ana＠example.org",
    ],
)  # fmt: skip
def test_hard_addresses_are_judged_as_the_validator_judges_them(text: str) -> None:
    # Blanks round it, and characters that nobody sees, are not the address's.
    bare = split_display(text)[1]
    try:
        found = validate_email(bare, check_deliverability=False, strict=True, test_environment=True)
    except EmailNotValidError:
        with pytest.raises(BadAddress):
            normalise(text)
        return
    local = unicodedata.normalize("NFC", found.local_part.lower())
    assert normalise(text) == f"{local}@{found.ascii_domain or found.domain}"


@given(NEARLY)
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    try:
        once = normalise(text)
    except BadAddress:
        return
    assert normalise(once) == once


@pytest.mark.parametrize(
    "written",
    [
        "ana.sol@example.org",
        " Ana.Sol@Example.ORG ",
        "\ufeffana.sol@example.org\u200b",
        "Ana Sol <ana.sol@example.org>",
        '"Sol, Ana" <ANA.SOL@example.org>',
        "mailto:ana.sol@example.org",
        "\u00a0ana.sol@example.org\t",
        "\u3000ana.sol@example.org\u2003",
        "'ana.sol@example.org",
        "'ana.sol@example.org'",
        "«ana.sol@example.org»",
        "(ana.sol@example.org)",
        "ana.sol@example.org.",
        "ana.sol@example.org,",
        "Ana Sol <ana.sol@example.org>;",
        "ana.sol@example.org <mailto:Ana.Sol@example.org?subject=Hi>",
        "ａｎａ．ｓｏｌ＠ｅｘａｍｐｌｅ．ｏｒｇ",
        "ana.sol@example。org",
        "Ana ＜ana.sol@example.org＞",
        "ana.sol@exa\u200bmple.org",
    ],
)
def test_one_mailbox_has_one_form_however_it_is_written(written: str) -> None:
    assert normalise(written) == "ana.sol@example.org"


def test_a_domain_in_letters_and_in_punycode_is_the_same() -> None:
    assert normalise("u@Bücher.de") == normalise("u@xn--bcher-kva.de") == "u@xn--bcher-kva.de"


def test_letters_with_marks_in_one_code_or_in_two_are_the_same() -> None:
    assert normalise("jose\u0301@bu\u0308cher.de") == normalise("josé@bücher.de") == "josé@xn--bcher-kva.de"


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ('"Ana Sol" <ana@example.org>', "Ana Sol"),
        ("Ａｎａ ＜ana@example.org＞", "Ａｎａ"),
        ("نیم\u200cفاصله <ana@example.org>", "نیم\u200cفاصله"),
        ("ana@example.org <ana@example.org>", ""),
    ],
)
def test_a_name_in_front_of_the_address_is_found_as_it_is_written(cell: str, name: str) -> None:
    assert split_display(cell) == (name, "ana@example.org")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "missing"),
        ("ana@example.org, bob@example.org", "several"),
        ("ana@example.org;bob@example.org", "several"),
        ("ana.example.org", "no_at"),
        ("ana sol@example.org", "blank"),
        ("ana@@example.org", "two_ats"),
        ("@example.org", "no_local"),
        ("ana@example", "no_dot"),
        ("ana@host.local", "reserved"),
        ("ana..sol@example.org", "dots"),
        (".ana@example.org", "dots"),
        (f"{'a' * 65}@example.org", "too_long"),
        ("ana@exa_mple.org", "domain"),
        ("=cmd()", "no_at"),
        ("ana@-example.org", "bad"),
    ],
)
def test_what_is_no_address_is_told_why(written: str, code: str) -> None:
    with pytest.raises(BadAddress) as caught:
        normalise(written)
    assert caught.value.problem.code == f"address.{code}"
    assert caught.value.problem.where == "email"
    assert "%(" not in caught.value.problem.text()


def test_an_exception_about_an_address_does_not_hold_it() -> None:
    with pytest.raises(BadAddress) as caught:
        normalise("secret person@example.org")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "cell",
    [
        "ana@example.org <bob@example.org>",
        "ana@example.org<bob@example.org>",
        '"ana@example.org" <bob@example.net>',
        "'ana@example.org' via Friends <friends@lists.example.org>",
    ],
)
def test_of_two_addresses_in_one_cell_none_is_chosen(cell: str) -> None:
    with pytest.raises(BadAddress) as caught:
        normalise(cell)
    assert caught.value.problem.code in ("address.several", "address.two_ats")


@pytest.mark.parametrize("name", ["ana@example.org", "'Ana@Example.org'", "Ana @ home", "ana@work"])
def test_an_address_beside_its_own_or_no_other_address_is_one(name: str) -> None:
    assert normalise(f"{name} <ana@example.org>") == "ana@example.org"
