"""Audience: an e-mail address in its one normal form, so that the same mailbox is always found again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from mobilizer.languages import MEMORY
from mobilizer.problems import N_, Problem

# Far more than any address with a name beside it: beyond that nobody looks at the words.
MAX_LETTERS = 1000
EXAMPLE = "name@example.org"

# Characters that nobody sees, as spreadsheets and web pages leave them round an address.
_UNSEEN = (
    "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u00ad\u061c\u180e"
)
# East Asian keyboards write wide letters, a wide @, a wide dot (Unicode: Halfwidth and Fullwidth Forms).
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x3002: ".", 0xFF61: "."}
_PLAIN = str.maketrans({**_NARROW, **dict.fromkeys(map(ord, _UNSEEN))})
_BLANKS = _UNSEEN + "".join(sign for sign in map(chr, range(0x3001)) if sign.isspace())
_QUOTES = "\"'`´“”„‟‘’‚«»‹›"
_BEFORE = f"{_BLANKS}{_QUOTES}<([,;:"
_BEHIND = f"{_BLANKS}{_QUOTES}>)],;:."

# What nearly every address looks like. Whatever this accepts, email-validator accepts with the same normal form (a
# property test holds the two together); all else goes the slow way, which also knows what to say.
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SPECIAL = "|".join(re.escape(name) for name in sorted(SPECIAL_USE_DOMAIN_NAMES) if name != "test")
_USUAL_LOCAL = re.compile(rf"(?=.{{1,64}}\Z)(?!['`]){_ATOM}(?:\.{_ATOM})*\Z")
_USUAL_DOMAIN = re.compile(
    rf"(?!(?:[a-z0-9.-]+\.)?(?:{_SPECIAL})\Z)(?:{_LABEL}\.)+(?=[a-z0-9-]*[a-z][a-z0-9-]*\Z)(?=.*[a-z]\Z){_LABEL}\Z"
)
_USUAL_START = re.compile(rf"(?=[^@]{{1,64}}@)(?!['`]){_ATOM}(?:\.{_ATOM})*@")
_ADDRESS = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]")
_DISPLAY = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>\s*\Z", re.DOTALL)
_DOTLESS = ("gmail.com", "googlemail.com")  # to which ana.diaz@ and anadiaz@ are one


class BadAddress(ValueError):
    """Not an address that a mail could go to; `problem` says why and how to mend it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def normalise(raw: str) -> str:
    """The normal form of an address: lower case, no blanks round it, a non-ASCII domain as A-label (RFC 5890).

    RFC 5321 lets capitals matter before the @; no mailbox provider does, and two rows for one person would be two
    mails. `Name <a@b.org>` and `mailto:a@b.org` give their address, and what stands round it in quotes, brackets or
    commas does not count. Raises BadAddress.
    """
    plain = raw.strip().lower()
    if is_usual(plain):
        return plain
    if len(raw) > MAX_LETTERS:
        raise BadAddress(_diagnosis("too_long", raw))
    text = split_display(raw)[1]
    plain = text.lower()
    return plain if is_usual(plain) else _slowly(text)


def mailbox_of(address: str) -> str:
    """The address of the mailbox that a normalised address most likely ends up in: without `+tag`, and without dots
    where the provider ignores them. For limits only: it never says who somebody is, for elsewhere it may
    be somebody else's.
    """
    local, _, domain = address.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTLESS:
        return f"{local.replace('.', '')}@{_DOTLESS[0]}"
    return f"{local}@{domain}"


def is_usual(text: str) -> bool:
    """Whether a text is an address in its normal form, of the plain kind that nearly all are of."""
    local, _, domain = text.partition("@")
    return len(text) <= 254 and _is_usual_domain(domain) and _USUAL_LOCAL.match(local) is not None


def usual_among(texts: Sequence[str], domains: Collection[str]) -> list[bool]:
    """Which of many texts are usual, at one of these domains."""
    match, good = _USUAL_START.match, {domain for domain in domains if len(domain) < 189 and _is_usual_domain(domain)}
    return [text.partition("@")[2] in good and match(text) is not None for text in texts]


@lru_cache(MEMORY)
def _is_usual_domain(domain: str) -> bool:
    return _USUAL_DOMAIN.match(domain) is not None


def split_display(raw: str) -> tuple[str, str]:
    """(name, address) of a cell such as `Ana Sol <ana@example.org>`; the name is empty where there is none."""
    text = raw.strip(f"{_BLANKS},;")
    match = _DISPLAY.match(text.translate(_NARROW))  # a letter for a letter: places stay the same
    if not match:
        return "", _bare(text)
    name = text[: match.end("name")].strip(f"{_BLANKS}{_QUOTES}")
    address = _bare(text[slice(*match.span("address"))])
    if _ADDRESS.search(name) and _bare(name).lower() != address.lower():
        return "", _bare(text)  # two addresses: nobody knows which is meant
    # An address as its own name is what mail programs write where they know none.
    return "" if "@" in name else name, address


def _bare(text: str) -> str:
    """An address without what stands round it: quotes, brackets, a comma, a dot at its end, `mailto:` (RFC 6068)."""
    found, before = text.translate(_PLAIN), ""
    while found != before:
        before = found
        found = found.lstrip(_BEFORE).rstrip(_BEHIND)
        if found[:7].lower() == "mailto:":
            found = found[7:].partition("?")[0]
    return found


def _slowly(text: str) -> str:
    with _explained(text):
        if _several(text):
            raise EmailNotValidError("several")
        # Domains under .test reach nobody, yet demo and training need addresses that reach nobody.
        found = validate_email(text, check_deliverability=False, strict=True, test_environment=True)
        local = unicodedata.normalize("NFC", found.local_part.lower())
        normal = f"{local}@{(found.ascii_domain or found.domain).lower()}"
        # Lower case may have more bytes, or letters that are not allowed: the normal form must itself be an address.
        validate_email(normal, check_deliverability=False, strict=True, test_environment=True)
        return normal
    raise AssertionError("an address is good or explained")


@contextmanager
def _explained(text: str) -> Iterator[None]:
    try:
        yield
    except EmailNotValidError:
        raise BadAddress(_diagnosis(next(code for code, (test, _) in _DIAGNOSES.items() if test(text)), text)) from None


def _diagnosis(code: str, text: str) -> Problem:
    params = {"address": _shown(text), "example": EXAMPLE}
    return Problem(f"address.{code}", _DIAGNOSES[code][1], params, where="email")


def _shown(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def _several(text: str) -> bool:
    return len(re.findall(r"[^\s@,;/|]+@[^\s@,;/|]+", text)) > 1


def _domain(text: str) -> str:
    return text.rpartition("@")[2].lower()


# Tried in order; the last one always fits. An organizer reads one of these beside the row.
_DIAGNOSES: dict[str, tuple[Callable[[str], bool], str]] = {
    "missing": (lambda t: not t, N_("There is no address. Give one like %(example)s, or take the row out.")),
    "several": (_several, N_("“%(address)s” is more than one address. Give each person a row of their own.")),
    "no_at": (lambda t: "@" not in t, N_("“%(address)s” has no @ sign. Write it like %(example)s.")),
    "blank": (
        lambda t: bool(re.search(r"\s", t)),
        N_("“%(address)s” has a blank inside. Take the blank out, as in %(example)s."),
    ),
    "two_ats": (
        lambda t: t.count("@") > 1,
        N_("“%(address)s” has more than one @ sign. Write it like %(example)s."),
    ),
    "no_local": (lambda t: t.startswith("@"), N_("“%(address)s” has nothing before the @. Write it like %(example)s.")),
    "no_dot": (
        lambda t: "." not in _domain(t).strip("."),
        N_("“%(address)s” does not end in a domain like example.org. Look for a missing ending."),
    ),
    "reserved": (
        lambda t: _domain(t).rpartition(".")[2] in SPECIAL_USE_DOMAIN_NAMES,
        N_("“%(address)s” ends in a name that no mail can reach. Ask the person for a real address."),
    ),
    "dots": (
        lambda t: ".." in t or t.endswith(".") or t.startswith(".") or ".@" in t or "@." in t,
        N_("“%(address)s” has a dot too many. Write it like %(example)s."),
    ),
    "too_long": (
        lambda t: len(t) > 254 or len(t.rpartition("@")[0]) > 64,
        N_("“%(address)s” is too long to be an address. Look for two cells that ran into one."),
    ),
    "domain": (
        lambda t: not re.fullmatch(r"[\w.-]+", _domain(t)) or "_" in _domain(t),
        N_("“%(address)s” has a sign behind the @ that no domain has. Write it like %(example)s."),
    ),
    "bad": (lambda _t: True, N_("“%(address)s” is not an address. Write it like %(example)s.")),
}
