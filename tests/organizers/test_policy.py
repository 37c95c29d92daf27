"""The policy table."""

from __future__ import annotations

import pytest

from mobilizer.organizers.policy import POLICY, ROLE_NAMES, Role, may


@pytest.mark.parametrize("action", sorted(POLICY))
def test_an_administrator_may_do_everything(action: str) -> None:
    assert may(Role.ADMIN, action)


@pytest.mark.parametrize("role", [*Role, "", "root"])
def test_what_the_table_does_not_know_is_forbidden(role: str) -> None:
    assert not may(role, "members.fly")
    assert not may(role, "")


def test_an_unknown_role_may_nothing() -> None:
    assert not any(may("root", action) for action in POLICY)


def test_translators_and_viewers_see_no_member_and_send_nothing() -> None:
    for role in (Role.TRANSLATOR, Role.VIEWER):
        for action in ("members.see", "members.import", "blasts.launch", "blasts.proof", "settings.users"):
            assert not may(role, action), (role, action)


def test_every_role_has_a_name() -> None:
    assert set(ROLE_NAMES) == set(Role)
