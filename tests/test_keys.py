"""Tokens are made by the book, a mail's all at once as each alone, and never otherwise than in old mails."""

from __future__ import annotations

import hashlib
import hmac

from hypothesis import example, given
from hypothesis import strategies as st

from mobilizer.codes import CODE_LETTERS, share_code, share_codes
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


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.binary()), max_size=20))
def test_many_are_sealed_as_each_alone(plain: list[tuple[str, bytes]]) -> None:
    keyring = Keyring({1: b"k" * 32, 2: b"l" * 32}, b"i" * 32)
    sealed = keyring.seal_all(plain)
    assert [keyring.open(one, bound) for one, (_, bound) in zip(sealed, plain, strict=True)] == [t for t, _ in plain]
    assert {one[0] for one in sealed} <= {keyring.current}
    assert len({one[1:13] for one in sealed}) == len(sealed), "no nonce serves twice"


def test_share_codes_are_all_different_and_in_order() -> None:
    codes = share_codes(20_000)
    assert codes == sorted(set(codes))
    assert len(codes) == 20_000
    letters = set("".join(codes) + "".join(share_code() for _ in range(50)))
    assert letters == set("abcdefghjkmnpqrstuvwxyz23456789")
    assert {len(code) for code in (*codes, share_code())} == {CODE_LETTERS}
    assert len({code[:3] for code in codes}) == 1
    assert len({share_codes(1)[0][:3] for _ in range(20)}) > 1, "another time they begin otherwise"


def test_a_domain_has_one_key_however_many_there_are() -> None:
    keyring = Keyring({1: b"k" * 32}, b"i" * 32)
    first = {f"d{n}.org": keyring.domain_key(f"d{n}.org") for n in range(12_000)}
    assert len(set(first.values())) == 12_000
    assert all(keyring.domain_key(domain) == key for domain, key in first.items())


def test_an_address_has_the_key_of_an_hmac_and_many_have_theirs() -> None:
    keyring, addresses = Keyring({1: b"k" * 32}, b"i" * 32), ["ana@example.org", "ñ@example.org", "x" * 300]
    alone = [hmac.digest(keyring._index, b"address\0" + one.encode(), "sha256")[:16] for one in addresses]
    assert keyring.address_keys(addresses) == alone
    assert [keyring.address_key(one) for one in addresses] == alone
