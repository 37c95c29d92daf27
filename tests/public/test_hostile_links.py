"""What strangers put into the addresses of public pages: nothing of it breaks a page or reaches the counts."""

from __future__ import annotations

import pytest

from mobilizer.keys import Purpose
from tests.public.conftest import World

WATCHED = {"did": "start", "beacon": "1"}


def test_a_link_number_that_no_database_can_hold_leads_nowhere_kindly(world: World) -> None:
    answer = world.browser().get(f"/c/{world.token(Purpose.CLICK)}/{10**30}")
    assert answer.status_code == 404
    assert world.events() == []


@pytest.mark.parametrize("tag", ["%3Cscript%3E", "x%00", "de", "en.utf-8", "zz" * 30])
def test_a_film_is_watched_only_in_a_language_that_it_has(world: World, tag: str) -> None:
    """The tag goes into the counts: one that a database refuses would hold up everybody else's."""
    answer = world.browser().post(f"/w/love-always-wins/{tag}/anascode22", data=WATCHED)
    assert answer.status_code in (400, 404)
    assert world.events() == []


@pytest.mark.parametrize(
    "path", ["/w/%00/en", "/w/love-always-wins/%00", "/s/anascode22/%00", "/v/%00", "/u/x%00?in=%00"]
)
def test_a_nul_in_an_address_is_refused_calmly(world: World, path: str) -> None:
    assert world.browser().get(path).status_code == 400


def test_a_one_click_unsubscribe_works_whatever_its_body_holds(world: World) -> None:
    path = f"/u/{world.token(Purpose.UNSUBSCRIBE)}"
    answer = world.browser().post(path, data=b"\0List-Unsubscribe=One-Click\0" * 5000, content_type="text/plain")
    assert answer.status_code == 200
    assert set(world.standing(world.ana).values()) == {"unsubscribed"}
