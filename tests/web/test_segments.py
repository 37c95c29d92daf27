"""The pages of segments: the list, one with its people, and the builder, which works without script."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.lifecycle import Plan
from mobilizer.blasts.narrowing import Narrowing
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from mobilizer.segments import keeping
from mobilizer.segments.rules import RULES
from mobilizer.segments.segments import Segment, count
from mobilizer.segments.tree import read_rules
from mobilizer.web.segment_form import Form, filled, read_form
from tests.web.conftest import Browser
from tests.worlds import World

SPANISH = {"g0-match": "all", "g0r0-rule": "language", "g0r0-language": "es"}


@pytest.fixture
def organizer(signed_in: Callable[..., Browser], world: World) -> Browser:
    return signed_in(Role.ORGANIZER)


def save(world: World, name: str, *rules: object) -> int:
    with world.installation.database.write() as session:
        return keeping.create(session, name, read_rules(list(rules))).id


def saved(world: World) -> dict[str, list[Any]]:
    with world.installation.database.read() as session:
        return {one.slug: one.rules for one in session.scalars(select(Segment))}


def test_an_empty_page_says_what_a_segment_is_and_how_to_begin(organizer: Browser) -> None:
    page = organizer.get("/segments").text
    assert "No segments yet" in page
    assert 'href="/segments/new"' in page


def test_a_segment_is_put_together_button_by_button_and_saved(organizer: Browser, world: World) -> None:
    form = {"name": "Ana & friends", "match": "all", "g0-match": "all", "g0-new": "language"}
    page = organizer.post("/segments/new", act="add-0", **form).text
    assert 'name="g0r0-language"' in page
    form |= {"g0r0-rule": "language", "g0r0-language": "es", "g0-new": "drawn"}
    page = organizer.post("/segments/new", act="add-0", **form).text
    assert 'name="g0r1-share"' in page
    form |= {"g0r1-rule": "drawn", "g0r1-share": "", "g0r1-draw": "1"}
    page = organizer.post("/segments/new", act="remove-0-1", **form).text
    assert "g0r1-share" not in page
    assert saved(world) == {}
    answer = organizer.post("/segments/new", act="save", name="Ana & friends", **SPANISH)
    assert (answer.status_code, answer.location) == (303, "/segments/ana-friends")
    page = organizer.get(answer.location).text
    assert "Ana &amp; friends" in page
    assert "Speaks \u2068Spanish\u2069" in page
    assert "2 people fit and can be mailed" in page
    with world.installation.database.read() as session:
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.user_id, entry.action) == (organizer.user_id, "segment.create")


def test_groups_are_joined_by_or(organizer: Browser, world: World) -> None:
    form = {
        **SPANISH,
        "name": "Either",
        "match": "any",
        "g0-match": "any",
        "g1-match": "all",
        "g1r0-rule": "did_ever",
        "g1r0-act": "click",
        "g1r0-not": "1",
        "g1r1-rule": "joined_within",
        "g1r1-days": "30",
    }
    organizer.post("/segments/new", act="save", **form)
    assert saved(world)["either"] == [
        {
            "any": [
                {"any": [{"rule": "language", "language": "es"}]},
                {"all": [{"not": {"rule": "did_ever", "act": "click"}}, {"rule": "joined_within", "days": 30}]},
            ]
        }
    ]
    page = organizer.get("/segments/either/edit").text
    assert "5 people fit" in page
    assert re.search(r'name="g1r0-not"[^>]* checked', page)
    page = organizer.post("/segments/either/edit", act="ungroup-1", **form).text
    assert "g1r0" not in page
    assert 'name="g2-match"' in organizer.post("/segments/either/edit", act="group", **form).text


def test_people_are_counted_by_language_and_nothing_is_saved(organizer: Browser, world: World) -> None:
    page = organizer.post("/segments/new", act="count", name="", **SPANISH)
    assert page.status_code == 200
    assert "2 people fit and can be mailed" in page.text
    assert "Español" in page.text
    assert saved(world) == {}


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "Nobody", "g0-match": "all"}, "Here is no rule."),
        ({"name": "", **SPANISH}, "A segment needs a name."),
        ({"name": "x" * 101, **SPANISH}, "The name is too long"),
        ({"name": "x", **SPANISH, "g0r0-language": ""}, "Write a text here"),
        ({"name": "x", "g0-match": "any", "g0r0-rule": "on_list", "g0r0-list": "77"}, "Choose a standing."),
        (
            {"name": "x", "g0-match": "any", "g0r0-rule": "on_list", "g0r0-list": "77", "g0r0-standing": "pending"},
            "A rule names a list that is gone.",
        ),
        ({"name": "x", "g0-match": "all", "g0r0-rule": "joined_within", "g0r0-days": "soon"}, "whole number from 1"),
        (
            {"name": "x", "match": "any", "g0-match": "any", "g0r0-rule": "joined_since", "g0r0-day": "1.2."},
            "Give a date like",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_is_and_nothing_is_saved(
    organizer: Browser, world: World, form: dict[str, str], said: str
) -> None:
    answer = organizer.post("/segments/new", act="save", **form)
    assert answer.status_code == 422
    assert said in answer.text
    assert saved(world) == {}


@pytest.mark.parametrize("act", ["add-7", "add-0-0", "remove-0-99", "ungroup-0", "remove-x", "", "nonsense", "add--1"])
def test_a_button_that_is_not_there_does_nothing(organizer: Browser, world: World, act: str) -> None:
    form = {**SPANISH, "g0-new": "no such rule"}
    assert organizer.post("/segments/new", act=act, **form).status_code == 200
    assert saved(world) == {}


def test_a_segment_is_changed_and_deleted(organizer: Browser, world: World) -> None:
    save(world, "Friends", {"rule": "language", "language": "en"})
    organizer.post("/segments/friends/edit", act="save", name="Amigos", **SPANISH)
    assert saved(world) == {"friends": [{"all": [{"rule": "language", "language": "es"}]}]}
    assert "Amigos" in organizer.get("/segments").text
    answer = organizer.post("/segments/friends/delete")
    assert answer.location == "/segments"
    assert saved(world) == {}
    assert organizer.get("/segments/friends").status_code == 404


def test_a_segment_that_a_blast_uses_stays(organizer: Browser, world: World) -> None:
    number = save(world, "Friends", {"rule": "language", "language": "en"})
    with world.installation.database.write() as session:
        plan = Plan((world.list_id,), narrowing=Narrowing(segments=(number,)))
        lifecycle.change(session, session.get_one(Blast, world.blast_id), plan)
    assert "Delete the segment" not in organizer.get("/segments/friends").text
    answer = organizer.post("/segments/friends/delete")
    assert "uses this segment. Take it out there first." in organizer.get(answer.location).text
    assert set(saved(world)) == {"friends"}


def test_a_segment_that_names_what_is_gone_says_so(organizer: Browser, world: World) -> None:
    save(world, "Others", {"not": {"rule": "on_list", "list": 99, "standing": "confirmed"}})
    page = organizer.get("/segments/others").text
    assert "A rule names a list that is gone." in page
    assert "Nobody can be counted now." in page
    assert "A rule names a list that is gone." in organizer.get("/segments/others/edit").text


def test_only_who_sees_members_sees_segments(signed_in: Callable[..., Browser], world: World) -> None:
    save(world, "Friends", {"rule": "language", "language": "en"})
    for role in (Role.VIEWER, Role.TRANSLATOR):
        browser = signed_in(role)
        for path in ("/segments", "/segments/friends", "/segments/new"):
            assert browser.get(path).status_code == 403
        assert browser.post("/segments/friends/delete").status_code == 403


def test_rules_too_deep_for_the_builder_are_shown_and_not_lost(organizer: Browser, world: World) -> None:
    deep = {"any": [{"all": [{"any": [{"rule": "language", "language": "en"}]}]}]}
    save(world, "Deep", deep)
    answer = organizer.get("/segments/deep/edit")
    assert answer.location == "/segments/deep"
    assert "nested deeper" in organizer.get(answer.location).text
    assert saved(world) == {"deep": [deep]}


def test_stored_rules_that_nobody_can_read_are_said_wherever_they_are_used(organizer: Browser, world: World) -> None:
    deepest: object = {"rule": "language", "language": "en"}
    for _ in range(50):
        deepest = {"not": deepest}
    number = save(world, "Deep", {"rule": "language", "language": "en"})
    with world.installation.database.write() as session:
        session.get_one(Segment, number).rules = [deepest]
        plan = Plan((world.list_id,), narrowing=Narrowing(segments=(number,)))
        lifecycle.change(session, session.get_one(Blast, world.blast_id), plan)
    for place in ("/segments/deep", "/segments/deep/edit"):
        assert "nested too deep: at most 5 groups" in organizer.get(place).text
    page = organizer.get("/blasts/love-always-wins/check").text
    assert "The segment “Deep” can&#39;t be used: one of its rules has to be mended." in page
    seen = {"seen_blast": str(world.blast().revision), "seen_appeal": "1", "people": "0"}
    assert organizer.post("/blasts/love-always-wins/launch", **seen).status_code == 422
    assert (world.blast().state, saved(world)) == ("draft", {"deep": [deepest]})


def test_who_falls_back_in_a_blast_is_not_asked_before_its_launch(organizer: Browser, world: World) -> None:
    form = {"g0-match": "all", "g0r0-rule": "fallback", "g0r0-blast": str(world.blast_id)}
    for opposite in ({}, {"g0r0-not": "1"}):
        answer = organizer.post("/segments/new", act="save", name="Fallen", **form, **opposite)
        assert answer.status_code == 422
        assert "is settled when it is launched. Choose a blast that is." in answer.text
    save(world, "Stored", {"rule": "fallback", "blast": world.blast_id})
    assert "is settled when it is launched." in organizer.get("/segments/stored").text
    with world.installation.database.read() as session:
        nobody = count(session, read_rules(saved(world)["stored"]), datetime.now(UTC))
    assert nobody == []


def test_a_form_of_countless_rules_is_refused_and_not_shown_whole(organizer: Browser, world: World) -> None:
    form = {f"g0r{row}-{name}": "language" for row in range(3000) for name in ("rule", "language")}
    answer = organizer.post("/segments/new", **{"name": "All", "g0-match": "any", **form})
    assert answer.status_code == 422
    assert "There are too many rules: at most 50." in answer.text
    assert answer.text.count("-rule") < 100
    assert saved(world) == {}


@pytest.mark.parametrize("word", sorted(RULES))
def test_every_rule_can_be_added_and_is_shown(organizer: Browser, word: str) -> None:
    page = organizer.post("/segments/new", **{"act": "add-0", "g0-match": "all", "g0-new": word}).text
    assert f'name="g0r0-rule" value="{word}"' in page


def test_a_form_of_rules_and_the_rules_of_a_form_are_the_same() -> None:
    rules = read_rules(
        [
            {"any": [{"rule": "field_one_of", "name": "size", "texts": ["S", "M"]}]},
            {"all": [{"not": {"rule": "field_at_least", "name": "age", "number": 2.5}}]},
        ]
    )
    form = filled("Sizes", rules)
    assert form is not None
    assert form.rules() == rules
    plain = filled("x", read_rules([{"rule": "language", "language": "es"}]))
    assert plain is not None
    assert plain.document() == [{"all": [{"rule": "language", "language": "es"}]}]
    assert read_form({}) == Form()


# -- a blast and its segments ----------------------------------------------------------------------------


def aimed(world: World) -> dict[str, Any]:
    return dict(world.blast().narrowing)


def test_a_blast_is_narrowed_and_its_check_page_counts_the_same_people(organizer: Browser, world: World) -> None:
    inside = save(world, "Hispanics", {"rule": "language", "language": "es"})
    outside = save(world, "Rare", {"rule": "country", "country": "BR"})
    form = {
        f"list-{world.list_id}": "in",
        "default_language": "en",
        f"segment-{inside}": "in",
        f"segment-{outside}": "out",
    }
    answer = organizer.post("/blasts/love-always-wins/edit", **form, every="1", cap_most="1", cap_days="3")
    assert answer.location == "/blasts/love-always-wins/check"
    assert aimed(world) == {"segments": [inside], "without": [outside], "most": 1, "days": 3}
    page = organizer.get("/blasts/love-always-wins/check").text
    assert "Only who is in at least one of these segments: Hispanics" in page
    assert "Without who is in one of these segments: Rare" in page
    assert "Without who was sent this many blasts: 1, within 3 days" in page
    assert "2 people will get exactly one mail each." in page
    assert "The frequency cap leaves out 0 people" in page
    again = organizer.get("/blasts/love-always-wins/edit").text
    assert re.search(rf'name="segment-{inside}" value="in" checked', again)
    assert re.search(rf'name="segment-{outside}" value="out" checked', again)


def test_an_earlier_blast_is_left_out(organizer: Browser, world: World) -> None:
    world.launch()
    form = {f"list-{world.list_id}": "in", "default_language": "en", "earlier": str(world.blast_id)}
    assert "Leave out the people of earlier blasts" in organizer.get("/blasts/new").text
    answer = organizer.post("/blasts/new", appeal="love-always-wins", slug="second", **form)
    assert answer.location == "/blasts/second/check"
    page = organizer.get("/blasts/second/check").text
    assert "Without who was among the people of these blasts: love-always-wins" in page
    assert "nobody on its lists fits its segments" in page


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"segment-99": "in"}, "One of the segments is gone."),
        ({"segment-99": "out"}, "One of the segments is gone."),
        ({"earlier": "99"}, "One of the earlier blasts is gone."),
        ({"cap_most": "1"}, "The frequency cap needs two whole numbers"),
        ({"cap_days": "7"}, "The frequency cap needs two whole numbers"),
        ({"cap_most": "0", "cap_days": "7"}, "The frequency cap needs two whole numbers"),
        ({"cap_most": "often", "cap_days": "7"}, "The frequency cap needs two whole numbers"),
        ({"cap_most": "1", "cap_days": "366"}, "The frequency cap needs two whole numbers"),
        ({"segment-99": "foo"}, "Something here can&#39;t be read. Choose again what narrows it"),
        ({"segment-foo": "in"}, "Something here can&#39;t be read. Choose again what narrows it"),
        ({"earlier": "abc"}, "Something here can&#39;t be read. Choose again what narrows it"),
        ({"list-foo": "out"}, "Something here can&#39;t be read. Choose the lists again"),
        ({"list-99": "maybe"}, "Something here can&#39;t be read. Choose the lists again"),
    ],
)
def test_a_bad_choice_changes_no_blast(organizer: Browser, world: World, form: dict[str, str], said: str) -> None:
    form = {f"list-{world.list_id}": "in", "default_language": "en", **form}
    answer = organizer.post("/blasts/love-always-wins/edit", **form)
    assert answer.status_code == 422
    assert said in answer.text
    assert aimed(world) == {}


def test_a_blast_whose_segment_went_meanwhile_can_not_be_launched(organizer: Browser, world: World) -> None:
    with world.installation.database.write() as session:
        plan = Plan((world.list_id,), narrowing=Narrowing(segments=(99,)))
        lifecycle.change(session, session.get_one(Blast, world.blast_id), plan)
    page = organizer.get("/blasts/love-always-wins/check").text
    assert "One of the segments of this blast is gone. Choose its people again." in page
    blast = world.blast()
    seen = {"seen_blast": str(blast.revision), "seen_appeal": "1", "people": "0"}
    assert organizer.post("/blasts/love-always-wins/launch", **seen).status_code == 422
    assert world.blast().state == "draft"


@pytest.mark.parametrize(
    "form",
    [
        {"g0r1-rule": "of_another_version"},
        {"g0r2-rule": "country", "g0r2-country": "ES"},
        {"g7-match": "all", "g7r0-rule": "country", "g7r0-country": "ES"},
        {"g1r0-rule": "country", "g1r0-country": "ES"},
    ],
)
def test_no_rule_that_was_posted_is_left_out(organizer: Browser, world: World, form: dict[str, str]) -> None:
    answer = organizer.post("/segments/new", act="save", name="Few", **SPANISH, **form)
    if answer.status_code == 400:
        assert saved(world) == {}
    else:
        assert "country" in str(saved(world)["few"]), "a rule left out would let more people in"
