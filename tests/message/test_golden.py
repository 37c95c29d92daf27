"""The mails are byte for byte those that were last looked at; golden.py says how to write them anew."""

from __future__ import annotations

import pytest

from tests.message.golden import KEPT, golden, path_of


@pytest.mark.parametrize(("template", "language"), KEPT)
def test_the_mail_is_the_one_that_was_looked_at(template: str, language: str) -> None:
    assert golden(template, language) == path_of(template, language).read_bytes(), (
        "look, then: python -m tests.message.golden"
    )
