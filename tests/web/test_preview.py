"""Previews: what a member will see, shown where it can do nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.files import write_appeal
from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import Rendition
from mobilizer.organizers.policy import Role
from mobilizer.web.preview import as_seen
from tests.web.appeal_stage import make_ready, seen
from tests.web.conftest import Browser
from tests.worlds import World

PREVIEW = "/appeals/love-always-wins/preview"


@pytest.fixture
def organizer(signed_in: Callable[..., Browser], world: World) -> Browser:
    make_ready(world)
    return signed_in(Role.ORGANIZER)


def test_the_preview_frames_the_mail_without_any_right(organizer: Browser) -> None:
    page = organizer.get(f"{PREVIEW}/es?scheme=dark&reader=rtl").text
    assert f'<iframe sandbox src="{PREVIEW}/es/mail?scheme=dark&amp;reader=rtl"' in page
    assert "El amor siempre gana" in page


def test_the_frames_policy_lets_nothing_run_and_nothing_out(organizer: Browser) -> None:
    answer = organizer.get(f"{PREVIEW}/es/mail")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'")
    assert "frame-ancestors 'self'" in policy
    assert "allow-" not in policy
    assert '<base target="_blank">' in answer.text
    assert "/o/" not in answer.text, "looking at a preview is no open"
    blocked = organizer.get(f"{PREVIEW}/es/mail?view=blocked").headers["Content-Security-Policy"]
    assert "img-src 'none'" in blocked, "pictures off"


def test_pictures_come_from_the_host_that_shows_the_preview(organizer: Browser) -> None:
    html = organizer.get(f"{PREVIEW}/es/mail").text
    assert 'src="/media/' in html
    assert "http://mobilizer.test/media/" not in html


def test_the_reader_is_named_nameless_or_named_from_right_to_left(organizer: Browser) -> None:
    assert "Ana" in organizer.get(f"{PREVIEW}/es/mail?reader=named").text
    nameless = organizer.get(f"{PREVIEW}/es/mail?reader=nameless").text
    assert "Ana" not in nameless
    assert "Hola:" in nameless
    assert "ليلى" in organizer.get(f"{PREVIEW}/es/mail?reader=rtl").text


def test_the_text_part_and_the_inbox_line_are_shown(organizer: Browser) -> None:
    assert "Míralo." in organizer.get(f"{PREVIEW}/es?view=text").text
    inbox = organizer.get(f"{PREVIEW}/es?view=inbox").text
    assert "El amor siempre gana!" in inbox


def test_unknown_choices_in_the_query_are_the_usual_ones(organizer: Browser) -> None:
    answer = organizer.get(f"{PREVIEW}/es?view=%01&screen=wall&scheme=<script>")
    assert answer.status_code == 200
    assert "device phone light" in answer.text


def test_a_language_that_is_not_complete_can_be_looked_at(organizer: Browser) -> None:
    organizer.post("/appeals/love-always-wins/languages", language="fr")
    words = "/appeals/love-always-wins/words/fr"
    organizer.post(words, body="Regarde. [Plus](https://example.org/fr)", subject="Bonjour", **seen(organizer, words))
    assert organizer.get(f"{PREVIEW}/fr").status_code == 200
    assert "Regarde." in organizer.get(f"{PREVIEW}/fr/mail").text


def test_a_poster_that_is_gone_is_said_not_thrown(organizer: Browser, world: World) -> None:
    for file in world.installation.settings.media.iterdir():
        file.unlink()
    page = organizer.get(f"{PREVIEW}/es")
    assert page.status_code == 200
    assert "gone from the media folder" in page.text
    assert organizer.get(f"{PREVIEW}/es/mail").status_code == 404


def test_a_translator_starts_with_their_own_language(signed_in: Callable[..., Browser], world: World) -> None:
    assert signed_in(Role.TRANSLATOR, languages="es").get(PREVIEW).location == f"{PREVIEW}/es"
    assert signed_in(Role.ORGANIZER).get(PREVIEW).location == "/appeals/love-always-wins/grid"


def test_dark_and_light_are_shown_whatever_the_browser_prefers() -> None:
    html = (
        '<head><meta name="color-scheme" content="light dark"><style>:root{color-scheme:light dark;}'
        "@media (prefers-color-scheme:dark){p{color:red}}</style></head>"
    )
    dark, light = as_seen(html, "dark", ""), as_seen(html, "light", "")
    assert "@media (min-width: 0px)" in dark
    assert 'content="dark"' in dark
    assert "color-scheme:dark;" in dark
    assert "@media (max-width: 0px)" in light
    assert 'content="light"' in light


def test_the_grid_shows_each_language_on_each_screen(organizer: Browser) -> None:
    page = organizer.get("/appeals/love-always-wins/grid").text
    for tag in ("en", "es"):
        for scheme in ("light", "dark"):
            assert page.count(f'src="{PREVIEW}/{tag}/mail?scheme={scheme}&amp;reader=named"') == 2, "phone and desktop"
    assert len(page.encode()) < 60_000
    inbox = organizer.get("/appeals/love-always-wins/grid?view=inbox").text
    assert inbox.count("El amor siempre gana!") == 4, "in each of four programs"
    assert "Míralo." in organizer.get("/appeals/love-always-wins/grid?view=text").text


def test_a_language_that_cannot_be_made_does_not_hide_the_others(organizer: Browser, world: World) -> None:
    with world.installation.database.write() as session:
        appeal = session.scalars(select(Appeal)).one()
        next(one for one in appeal.translations if one.language == "es").subject = "{{ nonsense }}"
    page = organizer.get("/appeals/love-always-wins/grid").text
    assert "nonsense" in page
    assert f"{PREVIEW}/en/mail" in page
    assert f"{PREVIEW}/es/mail" not in page


def test_a_preview_is_shown_as_a_member_to_who_may_see_members_only(
    organizer: Browser, signed_in: Callable[..., Browser], world: World
) -> None:
    found = organizer.post(f"{PREVIEW}/member", asked="ana3")
    assert found.status_code == 200
    member = world.members[3]
    assert f"?member={member}" in found.text
    mail = organizer.get(f"{PREVIEW}/es/mail?member={member}").text
    assert "Ana3" in mail
    with world.installation.database.read() as session:
        assert session.get_one(Member, member).share_code not in mail, "its links are nobody's"
    assert f"member={member}" in organizer.get(f"/appeals/love-always-wins/grid?member={member}").text
    viewer = signed_in(Role.VIEWER)
    for path in (f"{PREVIEW}/es?member={member}", f"{PREVIEW}/es/mail?member={member}"):
        assert viewer.get(path).status_code == 403
    assert viewer.post(f"{PREVIEW}/member", asked="ana").status_code == 403
    assert organizer.get(f"{PREVIEW}/es?member=999999").status_code == 404


def test_a_template_is_chosen_by_what_it_makes_of_the_words_and_kept_with_the_appeal(
    organizer: Browser, world: World
) -> None:
    path = "/appeals/love-always-wins/template"
    page = organizer.get(path).text
    for template in ("video-appeal", "short-note", "thank-you"):
        assert f"/preview/en/mail?template={template}" in page
    assert "<img" not in organizer.get(f"{PREVIEW}/es/mail?template=short-note").text
    organizer.post(path, template="short-note")
    assert "<img" not in organizer.get(f"{PREVIEW}/es/mail").text
    with world.installation.database.read() as session:
        appeal = session.scalars(select(Appeal)).one()
        assert "template: short-note" in write_appeal(appeal, "")
        before = appeal.revision
    organizer.post(path, template="../etc")
    with world.installation.database.read() as session:
        assert session.scalars(select(Appeal)).one().revision == before
    world.launch()
    with world.installation.database.read() as session:
        frozen = session.scalars(select(Rendition.compiled)).all()
    assert frozen
    assert all('"template":"short-note"' in one for one in frozen)


def test_colours_are_judged_before_they_are_kept_and_then_used_everywhere(organizer: Browser, world: World) -> None:
    path = "/settings/colours"
    tried = organizer.get(f"{path}?button=%23ffd400&link=%23ffd400&header=%23ffd400").text
    assert "too little" in tried
    assert "not kept yet" in tried
    assert organizer.post(path, button="red").status_code == 422
    organizer.post(path, button="#ffd400", link="#0050a0", header="#0a5c36")
    mail = organizer.get(f"{PREVIEW}/es/mail?template=thank-you").text
    for colour in ("#ffd400", "#0050a0", "#0a5c36"):
        assert colour in mail
    assert "#0a5c36" not in organizer.get(f"{PREVIEW}/es/mail").text, "a header is the report's"
    for sheet in ("/public/brand.css", "/brand.css"):
        assert "#a5123d" not in organizer.get(sheet).text


def test_the_discreet_mail_is_shown_where_it_has_words(organizer: Browser, world: World) -> None:
    assert "variant=discreet" not in organizer.get(f"{PREVIEW}/en").text
    with world.installation.database.write() as session:
        [translation] = [one for one in session.scalars(select(Appeal)).one().translations if one.language == "en"]
        translation.discreet_sender, translation.discreet_subject = "Marta", "About Thursday"
    assert "variant=discreet" in organizer.get(f"{PREVIEW}/en").text
    html = organizer.get(f"{PREVIEW}/en/mail?variant=discreet").text
    assert "About Thursday" in html
    assert "Love always wins" not in html
