"""The bench's stages: what a process's time is booked to."""

from __future__ import annotations

from pkgutil import resolve_name

import pytest

from mobilizer.bench.stages import IMPORTING, SENDING, Stages, stage_of


@pytest.mark.parametrize("name", [*SENDING, *IMPORTING])
def test_a_stage_names_code_that_there_is(name: str) -> None:
    assert resolve_name(name)


def test_the_nearest_name_says_the_stage() -> None:
    assert stage_of("mobilizer.message.dkim.Signer.sign") == "sign"
    assert stage_of("mobilizer.message.transfer.encode") == "compose"
    assert stage_of("mobilizer.messages.encode") is None
    assert stage_of("sqlalchemy.orm.Session.execute") is None


def test_looking_books_time_where_it_is_spent() -> None:
    with Stages() as stages:
        total = 0
        while not stages.looks.total():
            total += sum(range(1000))
    assert stages.shares() == {"other": 1.0}
    assert stages.cost > 0
