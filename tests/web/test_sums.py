"""What a viewer sees: sums, in which nobody is to be found."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from mobilizer.delivery.ledger import Delivery, DeliveryState
from mobilizer.organizers.policy import Role
from tests.one_database import database_url  # noqa: F401 - what is shown does not depend on it
from tests.web.conftest import Browser
from tests.worlds import World


@pytest.fixture
def viewer(signed_in: Callable[..., Browser]) -> Browser:
    return signed_in(Role.VIEWER)


def numbers(page: str) -> list[str]:
    """Every figure of a page's content, as it is shown."""
    content = page.partition("<main")[2].partition("</main>")[0]
    return re.findall(r"<bdi(?: dir=\"ltr\"| class=\"muted\")?>(&lt; 5|–|\d+)</bdi>", content)


def test_the_front_page_of_a_viewer_is_the_sums(viewer: Browser, world: World) -> None:
    assert viewer.get("/").location == "/sums"
    page = viewer.get("/sums").text
    # Five members, three and two by language: who knew the five would know that neither is one or four.
    assert numbers(page) == ["–", "0", "&lt; 5", "&lt; 5"]


def test_a_blast_shows_no_cell_below_five(viewer: Browser, world: World) -> None:
    world.join(["en"] * 12)
    world.launch()
    with world.installation.database.write() as session:
        for place, row in enumerate(session.query(Delivery).order_by(Delivery.member_id)):
            row.state = DeliveryState.REJECTED if place in (0, 1) else DeliveryState.ACCEPTED
            row.reason = "hard" if place in (0, 1) else ""
    page = viewer.get("/sums/love-always-wins").text
    shown = numbers(page)
    assert shown[:3] == ["17", "–", "&lt; 5"]  # who knew the fifteen as well would know the two
    assert all(figure in ("&lt; 5", "–", "0") or int(figure) >= 5 for figure in shown)


def test_what_was_not_launched_has_no_sums(viewer: Browser, world: World) -> None:
    assert viewer.get("/sums/love-always-wins").status_code == 404
    assert viewer.get("/sums/nothing").status_code == 404
