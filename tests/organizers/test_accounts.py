"""Users: making them, finding them, and what is kept of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from argon2.profiles import RFC_9106_LOW_MEMORY
from sqlalchemy import update

from mobilizer.installation import Installation
from mobilizer.organizers import accounts
from mobilizer.organizers.passwords import _hasher as REAL
from mobilizer.organizers.passwords import hash_password, is_password, problems_of
from mobilizer.organizers.policy import Role
from mobilizer.organizers.users import User
from mobilizer.problems import Problem

PASSWORD = "a short sentence is good"


def create(
    installation: Installation, email: str = "ada@example.org", password: str = PASSWORD
) -> User | list[Problem]:
    with installation.database.write() as session:
        made = accounts.create_user(
            session,
            installation.keyring,
            email=email,
            name=" Ada\r\n  Lovelace ",
            role=Role.TRANSLATOR,
            password=password,
            languages=("es", "pt-BR"),
        )
        session.expunge_all()
        return made


def test_a_user_is_kept_sealed_and_read_back_whole(installation: Installation) -> None:
    made = create(installation, " Ada@Example.org ")
    assert isinstance(made, User)
    assert b"ada" not in made.sealed
    account = accounts.account(installation.keyring, made)
    assert (account.email, account.name) == ("ada@example.org", "Ada Lovelace")
    assert (account.role, account.languages) == ("translator", ("es", "pt-BR"))


@pytest.mark.parametrize(
    ("email", "password", "codes"),
    [
        ("ADA@example.org", PASSWORD, ["user.known_address"]),
        ("nobody", PASSWORD, ["user.bad_address"]),
        ("", "short", ["user.bad_address", "password.short"]),
        ("eve@example.org", "x" * 201, ["password.long"]),
    ],
)
def test_a_user_that_cannot_be_made_is_refused_with_every_reason(
    installation: Installation, email: str, password: str, codes: list[str]
) -> None:
    create(installation)
    refused = create(installation, email, password)
    assert isinstance(refused, list)
    assert [problem.code for problem in refused] == codes
    with installation.database.read() as session:
        assert len(accounts.accounts(session, installation.keyring)) == 1


def test_only_address_and_password_together_name_a_user(installation: Installation) -> None:
    create(installation)
    with installation.database.read() as session:
        for email, password, known in (
            ("ada@example.org", PASSWORD, True),
            ("ada@example.org", PASSWORD.title(), False),
            ("eve@example.org", PASSWORD, False),
            ("ada@example.org", "", False),
        ):
            assert (accounts.verify(session, installation.keyring, email, password) is not None) == known


def test_a_guess_at_a_password_costs_what_the_rfc_asks_for() -> None:
    """RFC 9106, section 4: the second recommended option. Other tests guess more cheaply (tests/conftest.py)."""
    asked = RFC_9106_LOW_MEMORY
    assert (REAL.time_cost, REAL.memory_cost, REAL.parallelism) == (asked.time_cost, asked.memory_cost, 4)
    assert is_password(REAL.hash(PASSWORD), PASSWORD)


def test_a_password_is_kept_as_argon2id() -> None:
    kept = hash_password(PASSWORD)
    assert kept.startswith("$argon2id$")
    assert is_password(kept, PASSWORD)
    assert not is_password(kept, PASSWORD + "!")
    assert not is_password(None, PASSWORD)
    assert not is_password(None, "nobody's password")
    assert not is_password("no hash at all", PASSWORD)
    assert problems_of(PASSWORD) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_administrators_who_take_the_right_from_one_another_at_once_do_not_both(installation: Installation) -> None:
    for name in ("ada", "eve"):
        create(installation, f"{name}@example.org")
    with installation.database.write() as session:
        both = list(session.scalars(update(User).values(role=Role.ADMIN).returning(User.id)))

    def take(number: int) -> list[Problem]:
        with installation.database.write() as session:
            return accounts.change_role(session, session.get_one(User, number), Role.VIEWER, ())

    with ThreadPoolExecutor(1) as other:
        with installation.database.write() as session:
            assert accounts.disable(session, session.get_one(User, both[0])) == []
            second = other.submit(take, both[1])
            assert wait([second], timeout=0.3).not_done, "it waits to see what becomes of the first"
        assert [problem.code for problem in second.result()] == ["user.last_admin"]
