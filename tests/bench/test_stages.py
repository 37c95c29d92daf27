"""The bench's stages: what the sender's time is booked to."""

from __future__ import annotations

from importlib import import_module

import pytest

from mobilizer.bench.stages import STAGES, Stages, stage_of


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_names_code_that_there_is(name: str) -> None:
    module, _, function = name.partition(":")
    found = import_module(module)
    assert not function or function in dir(found) or any(function in vars(one) for one in classes(found))


def classes(module: object) -> list[type]:
    return [one for one in vars(module).values() if isinstance(one, type)]


def test_the_nearest_name_says_the_stage() -> None:
    assert stage_of("mobilizer.message.dkim", "sign") == "sign"
    assert stage_of("mobilizer.message.transfer", "encode") == "compose"
    assert stage_of("mobilizer.messages", "encode") is None
    assert stage_of("sqlalchemy.orm", "execute") is None


def test_looking_books_time_where_it_is_spent() -> None:
    with Stages() as stages:
        total = 0
        while not stages.looks.total():
            total += sum(range(1000))
    assert stages.shares() == {"other": 1.0}
    assert stages.cost > 0
