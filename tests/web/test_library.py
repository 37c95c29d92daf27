"""The media library: what there is, what it shows, and that nothing goes which somebody needs."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from sqlalchemy import select

from mobilizer.appeals.appeals import Appeal
from mobilizer.organizers.policy import Role
from tests.web.appeal_stage import make_ready, picture, words_of
from tests.web.conftest import Browser
from tests.worlds import World

LIBRARY, APPEAL = "/appeals/library", "/appeals/love-always-wins"


def names(world: World, suffix: str = ".jpg") -> set[str]:
    return {path.name for path in world.installation.settings.media.glob(f"[0-9a-f]*{suffix}")}


def test_a_picture_is_brought_described_and_chosen_with_its_words(organizer: Browser, world: World) -> None:
    organizer.post(LIBRARY, file=(BytesIO(picture()), "still.jpg"))
    (name,) = names(world)
    organizer.post(f"{LIBRARY}/{name}/text", language="es", text="Dos personas se abrazan")
    page = organizer.get(f"{LIBRARY}?appeal=love-always-wins&tag=es").text
    assert "Dos personas se abrazan" in page
    assert "Throw away" in page
    with world.installation.database.write() as session:
        appeal = session.scalars(select(Appeal)).one()
        next(one for one in appeal.translations if one.language == "es").poster_alt = ""
    organizer.post(f"{APPEAL}/media/es/choose", name=name)
    assert words_of(world, "es").poster == name
    assert words_of(world, "es").poster_alt == "Dos personas se abrazan"
    assert "Throw away" not in organizer.get(LIBRARY).text


def test_what_is_used_or_was_sent_stays_and_what_is_not_goes_with_what_was_made_of_it(
    organizer: Browser, world: World
) -> None:
    make_ready(world)
    with world.installation.database.read() as session:
        poster = session.scalars(select(Appeal)).one().poster
    organizer.post(f"{LIBRARY}/{poster}/remove")
    assert poster in names(world), "an appeal uses it"
    world.launch()
    with world.installation.database.write() as session:
        session.scalars(select(Appeal)).one().poster = ""
    assert "in mails that were sent" in organizer.get(LIBRARY).text
    organizer.post(f"{LIBRARY}/{poster}/remove")
    assert poster in names(world), "mails that were sent draw it"
    organizer.post(LIBRARY, file=(BytesIO(picture(640, 480)), "other.png.jpg"))
    (other,) = {name for name in names(world) if f"{LIBRARY}/{name}/remove" in organizer.get(LIBRARY).text}
    organizer.post(f"{LIBRARY}/{other}/remove")
    assert other not in names(world)


def test_what_is_no_file_of_ours_changes_nothing(
    organizer: Browser, signed_in: Callable[..., Browser], world: World
) -> None:
    organizer.post(LIBRARY, file=(BytesIO(b"GIF89a"), "still.gif"))
    assert "cannot be used as Poster" in organizer.get(LIBRARY).text
    assert names(world) == set()
    assert organizer.post(f"{LIBRARY}/..%2fkeys.json/remove").status_code == 404
    assert organizer.post(f"{APPEAL}/media/es/choose", name="../keys.json").status_code == 404
    translator = signed_in(Role.TRANSLATOR, languages="es")
    assert translator.get(LIBRARY).status_code == 403
    assert translator.post(f"{APPEAL}/media/en/choose", name="x").status_code in (403, 404)
