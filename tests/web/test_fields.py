"""The pages of fields: defined, renamed, retired; offered where they belong; and filled in a member's record."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from mobilizer.audience.fields import define, definitions
from mobilizer.audience.fitting import Definition
from mobilizer.audience.members import Member
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.lifecycle import Plan
from mobilizer.blasts.narrowing import Narrowing
from mobilizer.organizers.policy import Role
from mobilizer.segments import keeping
from mobilizer.segments.tree import BadRules, read_rules
from tests.web.conftest import Browser
from tests.worlds import World

SIZE = Definition("Size", "choice", ("S", "M"), {"es": "Talla"})


@pytest.fixture
def organizer(signed_in: Callable[..., Browser], world: World) -> Browser:
    return signed_in(Role.ORGANIZER)


def make(world: World, *fields: Definition) -> None:
    with world.installation.database.write() as session:
        for field in fields:
            assert define(session, field) == []


def kept(world: World) -> dict[str, Definition]:
    with world.installation.database.read() as session:
        return definitions(session)


def test_a_field_is_defined_renamed_retired_and_brought_back(organizer: Browser, world: World) -> None:
    form = {"key": "Size", "kind": "choice", "choices": "S\nM\n", "label-es": "Talla"}
    answer = organizer.post("/settings/fields", **{**form, "choices": ""})
    assert answer.status_code == 422
    assert "Write what may be chosen" in answer.text
    assert organizer.post("/settings/fields", **form).location == "/settings/fields"
    assert kept(world) == {"Size": SIZE}
    number = re.findall(r"/settings/fields/(\d+)", organizer.get("/settings/fields").text)[0]
    one = f"/settings/fields/{number}"
    assert organizer.post(one, choices="S\nM\nL").status_code == 303
    assert kept(world)["Size"].choices == ("S", "M", "L")
    assert organizer.post(f"{one}/retire").status_code == 303
    assert kept(world)["Size"].retired
    assert "This field is retired" in organizer.get(one).text
    organizer.post(f"{one}/restore")
    assert not kept(world)["Size"].retired
    assert organizer.get("/settings/fields/99").status_code == 404


def test_what_imports_brought_along_is_offered_to_be_defined(organizer: Browser, world: World) -> None:
    organizer.post("/lists/everyone/import", pasted="email,Ciudad\na@example.org,Lugo\n")
    choice = {"column-0": "email", "column-1": "extra", "go": "1", "default_language": "es",
              "consent_source": "March", "consent_date": "2026-03-08"}  # fmt: skip
    assert organizer.post("/imports/1/columns", **choice).status_code == 303
    assert "/settings/fields?key=Ciudad" in organizer.get("/settings/fields").text
    assert 'value="Ciudad"' in organizer.get("/settings/fields?key=Ciudad").text


def test_the_wizard_offers_fields_and_finds_their_columns(organizer: Browser, world: World) -> None:
    make(world, SIZE, Definition("Old", retired=False))
    organizer.post("/lists/everyone/import", pasted="email,talla\na@example.org,m\nb@example.org,XXL\n")
    page = organizer.get("/imports/1/columns").text
    assert '<option value="field:Size" selected>' in page
    choice = {"column-0": "email", "column-1": "field:Size", "go": "1", "default_language": "es",
              "consent_source": "March", "consent_date": "2026-03-08"}  # fmt: skip
    assert organizer.post("/imports/1/columns", **choice).status_code == 303
    page = organizer.get("/imports/1/check").text
    assert "Rows with a value left blank" in page


def test_the_builder_offers_the_rules_of_a_field_and_its_choices(organizer: Browser, world: World) -> None:
    make(world, SIZE, Definition("Born", "date"))
    page = organizer.get("/segments/new").text
    assert '<option value="field_one_of:Size">' in page
    assert '<option value="field_before:Born">' in page
    assert '<option value="field_at_least:Born">' not in page
    page = organizer.post("/segments/new", act="add-0", **{"g0-match": "all", "g0-new": "field_one_of:Size"}).text
    assert re.search(r'type="checkbox" name="g0r0-texts" value="M"', page)
    form = {"g0-match": "all", "g0r0-rule": "field_one_of", "g0r0-name": "Size", "g0r0-texts": ["S", "M"]}
    assert organizer.post("/segments/new", act="save", name="Sizes", **form).status_code == 303
    with world.installation.database.read() as session:
        segment = keeping.by_slug(session, "sizes")
        assert segment is not None
        inside = {"rule": "field_one_of", "name": "Size", "texts": ["S", "M"]}
        assert segment.rules == [{"all": [inside]}]
    assert len(re.findall(r"value=\"[SM]\" checked", organizer.get("/segments/sizes/edit").text)) == 2


def test_a_retired_field_stops_the_segments_that_name_it_and_a_waiting_blast_stops_its_retiring(
    organizer: Browser, world: World
) -> None:
    make(world, SIZE)
    with world.installation.database.write() as session:
        rules = read_rules([{"rule": "field_is", "name": "Size", "text": "S"}])
        segment = keeping.create(session, "Small ones", rules).id
        blast = session.get_one(Blast, world.blast_id)
        lifecycle.change(session, blast, Plan((world.list_id,), narrowing=Narrowing(segments=(segment,))))
    page = organizer.post("/settings/fields/1/retire", follow_redirects=True)
    assert "goes by the segment “Small ones”" in organizer.get("/settings/fields/1").text + page.text
    assert not kept(world)["Size"].retired
    with world.installation.database.write() as session:
        lifecycle.change(session, session.get_one(Blast, world.blast_id), Plan((world.list_id,)))
    organizer.post("/settings/fields/1/retire")
    assert kept(world)["Size"].retired
    assert "which is retired" in organizer.get("/segments/small-ones").text
    with world.installation.database.read() as session:
        found = keeping.by_slug(session, "small-ones")
        assert found is not None
        with pytest.raises(BadRules):
            keeping.usable_rules(session, found.rules)


def test_a_members_fields_are_shown_and_changed(organizer: Browser, world: World) -> None:
    make(world, SIZE, Definition("Given", "number"))
    member = world.members[0]
    with world.installation.database.write() as session:
        session.execute(update(Member).where(Member.id == member).values(attributes={"Given": "1250.5", "pet": "cat"}))
    page = organizer.get(f"/members/{member}").text
    assert "1,250.5" in page
    assert "cat" in page
    path = f"/members/{member}/fields"
    form = {"key-0": "Given", "field-0": "lots", "key-1": "Size", "field-1": "M"}
    answer = organizer.post(path, **form)
    assert answer.status_code == 422
    assert "“lots” is not a number" in answer.text
    assert organizer.post(path, **{**form, "field-0": "2 000"}).location == f"/members/{member}"
    with world.installation.database.read() as session:
        held = session.scalar(select(Member.attributes).where(Member.id == member))
    assert held == {"Given": "2000", "Size": "M", "pet": "cat"}
    assert organizer.get("/members/99/fields").status_code == 404
