"""Writing with others: what saves itself, what is kept, who approves, and what is said beside a field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.editing import save_translation
from mobilizer.appeals.glossary import Wanted, put_term
from mobilizer.appeals.history import Version
from mobilizer.organizers.policy import Role
from tests.one_database import database_url  # noqa: F401 - the rules are tested on both in tests/appeals
from tests.web.appeal_stage import seen, words_of
from tests.web.conftest import Browser
from tests.worlds import World

APPEAL = "/appeals/love-always-wins"
ES, EN = f"{APPEAL}/words/es", f"{APPEAL}/words/en"
READ = re.compile(r'name="read" value="([^"]+)"')


@pytest.fixture
def organizer(signed_in: Callable[..., Browser], world: World) -> Browser:
    return signed_in(Role.ORGANIZER)


def autosave(browser: Browser, where: str, seen: str, **words: str) -> dict[str, object]:
    answer = browser.post(f"{where}/autosave", seen=seen, **words)
    assert answer.status_code == 200
    found: dict[str, object] = json.loads(answer.text)
    return found


def approve(browser: Browser, where: str) -> str:
    read = READ.search(browser.get(where).text)
    assert read, "the page offers to approve"
    return browser.post(f"{where}/approve", read=read[1]).status


def test_what_is_typed_saves_itself_and_each_field_says_what_to_look_at(organizer: Browser, world: World) -> None:
    drawn = seen(organizer, ES)["seen"]
    said = autosave(organizer, ES, drawn, subject="Ama", body="Míralo.")
    assert said["saved"] is True
    assert words_of(world, "es").subject == "Ama"
    assert "is missing here" in str(said["remarks"]["body"])  # type: ignore[index]
    again = autosave(organizer, ES, str(said["seen"]), subject="Ama {{ nobody }}")
    assert again["saved"] is False
    assert again["remarks"]["subject"][0][0] == "error"  # type: ignore[index]
    crossed = autosave(organizer, ES, drawn, subject="Otra")
    assert (crossed["saved"], crossed["crossed"]) == (False, True)
    assert words_of(world, "es").subject == "Ama"


def test_a_conflict_shows_both_with_what_differs_and_leaves_the_other_fields_alone(
    organizer: Browser, world: World, signed_in: Callable[..., Browser]
) -> None:
    other, mine = signed_in(Role.TRANSLATOR, languages="es"), seen(organizer, ES)
    other.post(ES, subject="Amor de ella", button="Suyo", **seen(other, ES))
    page = organizer.post(ES, subject="Amor de él", button="El amor siempre gana", **mine).text
    assert re.search(r"<del>.*<bdi>ella</bdi></del><ins>.*<bdi>él</bdi></ins>", page)
    assert 'value="Amor de él"' in page
    assert 'value="Suyo"' in page, "what only the other changed is shown as it is saved"
    assert "may be writing still" in page


def test_history_shows_each_change_and_brings_it_back(organizer: Browser, world: World) -> None:
    organizer.post(ES, subject="Siempre gana el amor", **seen(organizer, ES))
    organizer.post(ES, subject="Gana el amor", **seen(organizer, ES))
    page = organizer.get(f"{ES}/history?field=subject").text
    assert "<bdi>Siempre gana</bdi></del>" in page or "<bdi>Siempre " in page
    assert "You" in page
    with world.installation.database.read() as session:
        first = session.scalars(select(Version.id).order_by(Version.id)).first()
    assert organizer.post(f"{ES}/history/{first}").status_code == 303
    assert words_of(world, "es").subject == "El amor siempre gana"
    assert organizer.post(f"{EN}/history/{first}").status_code == 404, "of another language"
    assert organizer.get(f"{ES}/history").text.count("<article") == 4


def test_an_out_of_date_language_is_red_until_somebody_looked(organizer: Browser, world: World) -> None:
    organizer.post(EN, subject="Love always wins, again", **seen(organizer, EN))
    assert "Out of date" in organizer.get(f"{APPEAL}/languages").text
    assert "Español is out of date" in organizer.get("/blasts/love-always-wins/check").text
    page = organizer.get(ES).text
    assert re.search(r"<ins>.*again</bdi></ins>", page)
    organizer.post(ES, fits="subject", **seen(organizer, ES))
    assert "Out of date" not in organizer.get(f"{APPEAL}/languages").text


def test_who_wrote_it_does_not_approve_it_where_somebody_else_can(
    organizer: Browser, world: World, signed_in: Callable[..., Browser]
) -> None:
    organizer.post(ES, subject="Gana el amor", **seen(organizer, ES))
    assert READ.search(organizer.get(ES).text), "alone, one approves one's own"
    other = signed_in(Role.TRANSLATOR, languages="es")
    assert "somebody else has to approve it" in organizer.get(ES).text
    assert approve(other, ES) == "303 SEE OTHER"
    assert "Reviewed" in organizer.get(f"{APPEAL}/languages").text
    assert "complete and reviewed" in organizer.get("/blasts/love-always-wins/check").text
    organizer.post(ES, subject="Ganó el amor", **seen(organizer, ES))
    assert "nobody has reviewed it" in organizer.get("/blasts/love-always-wins/check").text
    assert other.post(f"{EN}/approve", read="x").status_code == 403
    assert signed_in(Role.TRANSLATOR, languages="fr", email="fr@example.org").post(f"{ES}/approve").status_code == 403


def test_comments_glossary_and_earlier_translations_stand_beside_the_field(organizer: Browser, world: World) -> None:
    world.write_appeal("second")
    with world.installation.database.write() as session:
        put_term(session, Wanted("Love", "en", "our name", True))
        second = session.scalars(select(Appeal).where(Appeal.slug == "second")).one()
        save_translation(session, second, "es", {"subject": "", "title": ""})
    assert organizer.post(f"{ES}/comments", field="subject", **{"comment-subject": "Shorter?"}).status_code == 303
    page = organizer.get(ES).text
    assert "Shorter?" in page
    assert "“Love” is not translated, says the glossary" in page
    number = re.search(r"/comments/(\d+)", page)
    assert number
    assert organizer.post(f"{ES}/comments/{number[1]}").status_code == 303
    assert organizer.post(f"{ES}/comments/{number[1]}").status_code == 404
    second_page = organizer.get("/appeals/second/words/es").text
    assert "the same words" in second_page
    assert 'id="e-subject-1" lang="es" dir="ltr">El amor siempre gana</p>' in second_page


def test_the_glossary_is_kept_by_organizers_and_read_by_translators(
    organizer: Browser, signed_in: Callable[..., Browser]
) -> None:
    assert organizer.post("/glossary/new", words="ally", language="en", **{"said-es": "aliada"}).status_code == 303
    assert organizer.post("/glossary/new", words="Ally", language="en").status_code == 422
    assert organizer.post("/glossary/1", words="ally", language="en", **{"said-es": "aliade"}).status_code == 303
    translator = signed_in(Role.TRANSLATOR, languages="es")
    assert "aliade" in translator.get("/glossary").text
    assert translator.get("/glossary/1").status_code == 403
    assert organizer.post("/glossary/1", act="remove").status_code == 303
    assert "aliade" not in translator.get("/glossary").text
