"""The pages of appeals: all of them, a new one, its languages, its words and its files."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from sqlalchemy import select

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.files import media_of, write_appeal
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from tests.web.appeal_stage import MP4, picture, seen, words_of
from tests.web.conftest import Browser
from tests.worlds import World

APPEAL = "/appeals/love-always-wins"
SignIn = Callable[..., Browser]


@pytest.fixture
def organizer(signed_in: SignIn, world: World) -> Browser:
    return signed_in(Role.ORGANIZER)


def test_an_empty_house_explains_what_an_appeal_is(signed_in: SignIn) -> None:
    page = signed_in(Role.ORGANIZER).get("/appeals").text
    assert "No appeal yet" in page
    assert "/appeals/new" in page


def test_appeals_are_listed_with_their_languages(organizer: Browser) -> None:
    page = organizer.get("/appeals").text
    assert "Love always wins" in page
    assert "Español" in page


def test_a_new_appeal_is_made_from_its_title_and_opened_for_writing(organizer: Browser, world: World) -> None:
    answer = organizer.post("/appeals/new", title="Ño más <b>", language="es")
    assert answer.status_code == 303
    assert answer.location == "/appeals/no-mas-b/words/es"
    page = organizer.get(answer.location).text
    assert "Ño más &lt;b&gt;" in page
    with world.installation.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "appeal.create")).one()
        assert entry.user_id == organizer.user_id


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"title": "", "language": "en"}, "Give the appeal a title."),
        ({"title": "x", "language": "klingon"}, "Choose the language you write in."),
        ({"title": "x", "language": "en", "slug": "No Spaces"}, "single hyphens"),
        ({"title": "x", "language": "en", "slug": "love-always-wins"}, "already"),
        ({"title": "x", "language": "en", "slug": "new"}, "already"),
        ({"title": "x" * 200, "language": "en"}, "at most: 120"),
    ],
)
def test_what_a_new_appeal_lacks_is_named_and_nothing_is_made(
    organizer: Browser, world: World, form: dict[str, str], said: str
) -> None:
    answer = organizer.post("/appeals/new", **form)
    assert answer.status_code == 422
    assert said in answer.text
    with world.installation.database.read() as session:
        assert [appeal.slug for appeal in session.scalars(select(Appeal))] == ["love-always-wins"]


def test_who_opens_an_appeal_comes_to_their_own_work(signed_in: SignIn, world: World) -> None:
    assert signed_in(Role.ORGANIZER).get(APPEAL).location == f"{APPEAL}/words/en"
    assert signed_in(Role.TRANSLATOR, languages="es").get(APPEAL).location == f"{APPEAL}/words/es"
    assert signed_in(Role.VIEWER).get(APPEAL).status_code == 403


def test_the_board_shows_how_far_each_language_is(organizer: Browser) -> None:
    organizer.post(f"{APPEAL}/languages", language="pt-BR")
    page = organizer.get(f"{APPEAL}/languages").text
    assert "2 languages are complete" in page
    assert "Português (Brasil)" in page
    assert "Subject, Preheader, Greeting" in page


@pytest.mark.parametrize(("typed", "tag"), [("pt_br", "pt-BR"), ("Deutsch", "de"), ("German", "de"), (" AR ", "ar")])
def test_a_language_is_added_by_code_or_by_name(organizer: Browser, typed: str, tag: str) -> None:
    answer = organizer.post(f"{APPEAL}/languages", language=typed)
    assert answer.location == f"{APPEAL}/words/{tag}"
    assert f'lang="{tag}"' in organizer.get(answer.location).text


def test_an_unknown_language_is_refused_and_kept_in_the_box(organizer: Browser) -> None:
    answer = organizer.post(f"{APPEAL}/languages", language="klingon")
    assert answer.status_code == 422
    assert "“klingon” is not a language code" in answer.text
    assert 'value="klingon"' in answer.text


def test_a_language_is_taken_out_after_a_question(organizer: Browser, world: World) -> None:
    assert "Throw its words away" in organizer.get(f"{APPEAL}/words/es/remove").text
    assert organizer.post(f"{APPEAL}/words/es/remove").status_code == 303
    assert organizer.get(f"{APPEAL}/words/es").status_code == 404


def test_the_source_text_cannot_be_taken_out(organizer: Browser) -> None:
    organizer.post(f"{APPEAL}/words/en/remove")
    assert organizer.get(f"{APPEAL}/words/en").status_code == 200


def test_files_are_kept_for_all_languages_or_for_one(organizer: Browser, world: World) -> None:
    organizer.post(f"{APPEAL}/media/en", poster=(BytesIO(picture()), "still.jpg"), video_seconds="١٢٠")
    organizer.post(f"{APPEAL}/media/es", captions=(BytesIO(b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n"), "es.vtt"))
    with world.installation.database.read() as session:
        appeal = session.scalars(select(Appeal)).one()
        assert appeal.poster.endswith(".jpg")
        assert appeal.video_seconds == 120
        assert appeal.revision == 3, "each raises the revision, so that a launch that saw the old one fails"
    assert words_of(world, "es").captions.endswith(".vtt")
    assert words_of(world, "es").poster == ""
    organizer.post(f"{APPEAL}/media/es", captions=(BytesIO(b"WEBVTT\n\n1\n00:01,0 --> 00:02,0\nHola"), "es.vtt"))
    assert "Line 4: this is no time" in organizer.get(f"{APPEAL}/words/es").text
    organizer.post(f"{APPEAL}/media/es", video_link="http://films.example.org/1")
    assert "begin with https://" in organizer.get(f"{APPEAL}/words/es").text
    organizer.post(f"{APPEAL}/media/es", video_link="https://films.example.org/1")
    assert words_of(world, "es").video == "https://films.example.org/1"
    page = organizer.get("/w/love-always-wins/es")
    assert 'href="https://films.example.org/1" target="_blank" rel="noopener noreferrer"' in page.text
    assert "<video" not in page.text
    assert "films.example.org" not in page.headers["Content-Security-Policy"], "nothing is loaded from there"
    with world.installation.database.read() as session:
        appeal = session.scalars(select(Appeal)).one()
        assert "video: https://films.example.org/1" in write_appeal(appeal, "media/")
        assert media_of(appeal) == {appeal.poster, words_of(world, "es").captions}


@pytest.mark.parametrize(
    ("kind", "data", "name", "said"),
    [
        ("poster", b"GIF89a", "still.gif", "cannot be used as Poster"),
        ("poster", b"not a picture", "still.jpg", "not what its name says"),
        ("poster", picture(40, 20), "still.jpg", "would look blurred"),
        ("video", MP4, "film.avi", "cannot be used as Film"),
        ("captions", b"1\n00:00", "en.vtt", "not what its name says"),
    ],
)
def test_a_file_that_cannot_be_used_changes_nothing_and_says_why(
    organizer: Browser, world: World, kind: str, data: bytes, name: str, said: str
) -> None:
    answer = organizer.post(f"{APPEAL}/media/en", **{kind: (BytesIO(data), name)})
    assert said in organizer.get(answer.location).text
    with world.installation.database.read() as session:
        assert session.scalars(select(Appeal)).one().revision == 1


def test_a_translator_sees_their_languages_and_the_source_only(signed_in: SignIn, world: World) -> None:
    signed_in(Role.ORGANIZER).post(f"{APPEAL}/languages", language="fr")
    translator = signed_in(Role.TRANSLATOR, languages="es")
    board = translator.get(f"{APPEAL}/languages").text
    assert "Español" in board
    assert "English" in board
    assert "Français" not in board
    assert "Check" not in board, "the blast is not theirs"


@pytest.mark.parametrize(
    "path", ["/words/en", "/words/fr", "/preview/fr", "/preview/fr/mail", "/words/es/remove", "/media/fr"]
)
def test_a_translator_may_not_touch_other_languages(signed_in: SignIn, world: World, path: str) -> None:
    signed_in(Role.ORGANIZER).post(f"{APPEAL}/languages", language="fr")
    translator = signed_in(Role.TRANSLATOR, languages="es")
    ask = translator.post if path.startswith("/media") else translator.get
    assert ask(APPEAL + path).status_code == 403


def test_a_translator_of_a_language_may_write_its_regional_forms(signed_in: SignIn, world: World) -> None:
    signed_in(Role.ORGANIZER).post(f"{APPEAL}/languages", language="es-MX")
    translator = signed_in(Role.TRANSLATOR, languages="es")
    shown = seen(translator, f"{APPEAL}/words/es-MX")
    assert translator.post(f"{APPEAL}/words/es-MX", button="Mira", **shown).status_code == 303
    assert words_of(world, "es-MX").button == "Mira"


def test_nothing_is_here_for_an_unknown_appeal_or_language(organizer: Browser) -> None:
    for path in ("/appeals/nothing", "/appeals/nothing/languages", f"{APPEAL}/words/fr", f"{APPEAL}/preview/xx"):
        assert organizer.get(path).status_code == 404
