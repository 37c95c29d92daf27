"""The mails are byte for byte those that were last looked at; golden.py says how to write them anew."""

from __future__ import annotations

import pytest

from tests.message.golden import golden, path_of
from tests.message.samples import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mail_is_the_one_that_was_looked_at(language: str) -> None:
    assert golden(language) == path_of(language).read_bytes(), "look, then: python -m tests.message.golden"
