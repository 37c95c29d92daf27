"""Tokens are made by the book, a mail's all at once as each alone, and never otherwise than in old mails."""

from __future__ import annotations

import hashlib

from hypothesis import example, given
from hypothesis import strategies as st

from mobilizer.keys import MAILED, Keyring, Purpose, Ticket

NUMBERS = st.integers(min_value=0, max_value=2**32 - 1)
KEYS = st.dictionaries(st.integers(1, 255), st.binary(min_size=32, max_size=32), min_size=1, max_size=3)


def slowly(keys: dict[int, bytes], purpose: Purpose, ticket: Ticket) -> str:
    """A token by the book."""
    head = bytes([max(keys)]) + ticket.member.to_bytes(4) + ticket.blast.to_bytes(4)
    key = hashlib.blake2b(b"token", key=keys[max(keys)], digest_size=32).digest()
    group, place = divmod(list(Purpose).index(purpose), 4)
    macs = hashlib.blake2b(head, digest_size=64, key=key, person=str(4 * group).encode()).hexdigest()
    return head.hex() + macs[32 * place :][:32]


@given(KEYS, NUMBERS, NUMBERS)
@example({255: b"\xff" * 32}, 2**32 - 1, 2**32 - 1)
@example({1: b"k" * 32}, 0, 0)
def test_the_tokens_of_a_mail_are_those_that_each_purpose_has_alone(
    keys: dict[int, bytes], member: int, blast: int
) -> None:
    keyring, ticket = Keyring(keys, b"i" * 32), Ticket(member, blast)
    assert keyring.mail_tokens(ticket) == [slowly(keys, purpose, ticket) for purpose in MAILED]
    assert [keyring.token(purpose, ticket) for purpose in Purpose] == [
        slowly(keys, purpose, ticket) for purpose in Purpose
    ]


@given(KEYS, NUMBERS, NUMBERS)
def test_each_token_of_a_mail_is_read_for_its_own_purpose_alone(
    keys: dict[int, bytes], member: int, blast: int
) -> None:
    keyring, ticket = Keyring(keys, b"i" * 32), Ticket(member, blast)
    for purpose, token in zip(MAILED, keyring.mail_tokens(ticket), strict=True):
        assert [p for p in Purpose if keyring.read_token(p, token)] == [purpose]
        assert keyring.read_token(purpose, token) == ticket


def test_a_link_in_an_old_mail_still_leads_somewhere() -> None:
    keyring, ticket = Keyring({1: b"k" * 32}, b"i" * 32), Ticket(12, 7)
    assert keyring.token(Purpose.UNSUBSCRIBE, ticket) == "010000000c000000073682e67a439e1160c6a04c4d0eeafd05"
