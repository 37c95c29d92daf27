"""The pages of blasts: all of them, a new one, whom it goes to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.organizers.policy import Role
from tests.web.conftest import Browser
from tests.worlds import World

SignIn = Callable[..., Browser]


@pytest.fixture
def organizer(signed_in: SignIn, world: World) -> Browser:
    return signed_in(Role.ORGANIZER)


def test_an_empty_house_explains_what_a_blast_is(signed_in: SignIn) -> None:
    organizer = signed_in(Role.ORGANIZER)
    assert "No blast yet" in organizer.get("/blasts").text
    assert "Write an appeal first" in organizer.get("/blasts/new").text
    assert "No results yet" in organizer.get("/results").text


def test_blasts_are_listed_and_lead_to_where_they_stand(organizer: Browser, world: World) -> None:
    assert "love-always-wins" in organizer.get("/blasts").text
    assert organizer.get("/blasts/love-always-wins").location == "/blasts/love-always-wins/check"
    world.launch()
    assert organizer.get("/blasts/love-always-wins").location == "/blasts/love-always-wins/progress"


def test_a_blast_is_made_of_an_appeal_lists_and_a_chain(organizer: Browser, world: World) -> None:
    other = world.make_list("volunteers")
    form = {f"list-{world.list_id}": "in", f"list-{other}": "out", "chain": ["es", "", "es"], "default_language": "en"}
    answer = organizer.post("/blasts/new", appeal="love-always-wins", **form)
    assert answer.location == "/blasts/love-always-wins-2/check"
    with world.installation.database.read() as session:
        blast = lifecycle.by_slug(session, "love-always-wins-2")
        assert blast is not None
        assert (blast.chain, blast.default_language, blast.state) == (["es"], "en", "draft")
        assert lifecycle.lists_of(session, blast.id, included=True) == [world.list_id]
        assert lifecycle.lists_of(session, blast.id, included=False) == [other]
        assert blast.created_by_id == organizer.user_id


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"appeal": "nothing"}, "Choose the appeal that is sent."),
        ({"list-LIST": ""}, "Choose at least one list"),
        ({"list-9999999": "in"}, "One of the lists is gone."),
        ({"default_language": "fr"}, "languages that the appeal is written in"),
        ({"chain": ["xx"]}, "languages that the appeal is written in"),
        ({"slug": "Not A Slug"}, "single hyphens"),
        ({"slug": "love-always-wins"}, "already"),
    ],
)
def test_what_a_blast_lacks_is_named_and_the_choice_stays(
    organizer: Browser, world: World, form: dict[str, str], said: str
) -> None:
    usual = {"appeal": "love-always-wins", f"list-{world.list_id}": "in", "default_language": "en"}
    changed = {name.replace("LIST", str(world.list_id)): value for name, value in form.items()}
    answer = organizer.post("/blasts/new", **{**usual, **changed})
    assert answer.status_code == 422
    assert said in answer.text
    with world.installation.database.read() as session:
        assert len(session.scalars(select(Blast)).all()) == 1


def test_a_change_raises_the_revision(organizer: Browser, world: World) -> None:
    edit = "/blasts/love-always-wins/edit"
    assert f'name="list-{world.list_id}" value="in" checked' in organizer.get(edit).text
    answer = organizer.post(edit, **{f"list-{world.list_id}": "in", "default_language": "es"})
    assert answer.location == "/blasts/love-always-wins/check"
    assert (world.blast().default_language, world.blast().revision) == ("es", 2)


def test_a_launched_blast_is_not_changed(organizer: Browser, world: World) -> None:
    world.launch()
    edit = "/blasts/love-always-wins/edit"
    assert organizer.get(edit).location == "/blasts/love-always-wins"
    organizer.post(edit, **{f"list-{world.list_id}": "in", "default_language": "es"})
    assert world.blast().default_language == "en"


def test_a_viewer_sees_no_blast_and_changes_none(signed_in: SignIn, world: World) -> None:
    viewer = signed_in(Role.VIEWER)
    for path in ("/blasts", "/blasts/new", "/blasts/love-always-wins/edit", "/blasts/love-always-wins/cancel"):
        assert viewer.get(path).status_code == 403
    for path in ("launch", "proof", "pause", "resume", "cancel"):
        assert viewer.post(f"/blasts/love-always-wins/{path}").status_code == 403


def test_a_translator_sees_no_blast(signed_in: SignIn, world: World) -> None:
    translator = signed_in(Role.TRANSLATOR, languages="es")
    for path in ("/blasts", "/blasts/love-always-wins/check", "/blasts/love-always-wins/results", "/results"):
        assert translator.get(path).status_code == 403
