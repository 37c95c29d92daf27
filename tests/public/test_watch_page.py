"""The watch page: in the right language, light, closed to everyone else's bytes; who watched is told honestly."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import pytest
import time_machine
from flask import Flask
from PIL import Image
from sqlalchemy import update
from werkzeug.test import Client

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.media import keep
from mobilizer.audience.lists import MemberList
from mobilizer.blasts.blasts import Blast
from mobilizer.colours import contrast
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.sharing import brought_by
from mobilizer.http import EXTENSION
from mobilizer.keys import Purpose
from mobilizer.public import brand
from mobilizer.public.beacons import stamp
from mobilizer.public.drawn import DrawnPages
from mobilizer.public.posters import light
from mobilizer.recording import drain_hits, settle
from tests.one_app import app_of
from tests.public.conftest import World

STAMP = re.compile(r'(?<=data-stamp=")[^"]+|(?<=name="stamp" value=")[^"]+')
PAGE = "/w/love-always-wins/es/anascode22"


def test_the_watch_page_plays_the_film_with_captions_in_its_language(world: World) -> None:
    text = world.browser().get(PAGE).text
    assert '<html lang="es" dir="ltr">' in text
    assert "<h1>El amor siempre gana</h1>" in text
    assert 'preload="none"' in text
    assert re.search(
        r'<track kind="captions" src="/media/[0-9a-f]{40}\.vtt" srclang="es" label="Español" default>', text
    )
    assert "2 minutos" in text
    assert "Compartir" in text


def test_the_source_language_hears_the_sound_and_needs_no_captions_at_first(world: World) -> None:
    assert 'label="English">' in world.browser().get("/w/love-always-wins/en").text


def test_captions_are_on_for_who_does_not_follow_the_sound(world: World) -> None:
    with world.installation.database.write() as session:
        session.execute(update(Appeal).values(video_language="es-MX"))
    on = {tag: "default>" in world.browser().get(f"/w/love-always-wins/{tag}").text for tag in ("en", "es", "ar")}
    assert on == {"en": True, "es": False, "ar": True}


def test_a_film_on_another_site_is_loaded_when_someone_asks_for_it(world: World) -> None:
    with world.installation.database.write() as session:
        session.execute(update(Appeal).values(video="https://youtu.be/dQw4w9WgXcQ"))
        session.execute(update(Translation).where(Translation.language == "ar").values(video="https://a.example/f"))
    answer = world.browser().get("/w/love-always-wins/es")
    assert answer.headers["Content-Security-Policy"].endswith("; frame-src https://www.youtube-nocookie.com")
    assert 'data-player="https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?' in answer.text
    assert "Solo cuando lo pulses sabrá youtu.be de tu visita." in answer.text
    assert "<iframe" not in answer.text
    other = world.browser().get("/w/love-always-wins/ar")
    assert 'href="https://a.example/f"' in other.text
    assert "frame-src" not in other.headers["Content-Security-Policy"] + world.browser().get("/w/none/en").text


def test_an_arabic_page_runs_from_right_to_left(world: World) -> None:
    answer = world.browser(accept_language="en").get("/w/love-always-wins/ar/amalcode33")
    assert '<html lang="ar" dir="rtl">' in answer.text
    assert "الحب ينتصر دائمًا" in answer.text
    assert "دقيقتان" in answer.text
    assert answer.headers["Content-Language"] == "ar"


def test_the_text_of_a_public_page_names_no_member(world: World) -> None:
    text = world.browser().get(PAGE + "?own=1").text
    assert "Dear friend, two skaters meet." in text
    assert "{{" not in text
    assert "Ana" not in text.replace("anascode22", "")


def test_share_links_carry_the_code_and_the_channel_and_the_members_words(world: World) -> None:
    text = unquote(world.browser().get(PAGE).text)
    for site in (
        "https://wa.me/",
        "https://t.me/share/url",
        "https://www.facebook.com/",
        "https://x.com/",
        "mailto:",
        "sms:",
    ):
        assert f'href="{site}' in text
    for channel in ("whatsapp", "telegram", "facebook", "x", "email", "sms", "copy", "native"):
        assert f"http://mobilizer.test/s/anascode22/love-always-wins?c={channel}" in text
    assert "Mírala conmigo" in text


def test_a_channel_may_have_its_own_words(world: World) -> None:
    own = {"share_whatsapp": "Esta noche & tú", "share_sms": "Corto:"}
    with world.installation.database.write() as session:
        session.execute(update(Translation).where(Translation.language == "es").values(own))
    page = world.browser().get(PAGE).text
    links = dict(re.findall(r'href="([^"]*)"[^>]* data-channel="(\w+)"', page))
    said = {channel: unquote(link) for link, channel in links.items()}
    assert "text=Esta noche & tú\n" in said["whatsapp"]
    assert "body=Corto:\n" in said["sms"]
    assert "Mírala conmigo" in said["email"], "empty: the common words"


def test_without_a_code_the_plain_page_is_shared(world: World) -> None:
    text = unquote(world.browser().get("/w/love-always-wins/es").text)
    assert "http://mobilizer.test/w/love-always-wins/es" in text
    assert "/s/" not in text


def test_the_language_switch_names_each_language_by_itself_and_keeps_the_rest_of_the_address(world: World) -> None:
    text = world.browser().get(PAGE + "?own=1").text
    assert '<a href="/w/love-always-wins/ar/anascode22?own=1" lang="ar" hreflang="ar">العربية</a>' in text
    assert re.search(r'href="/w/love-always-wins/es/anascode22\?own=1"[^>]*aria-current="true">Español', text)


@pytest.mark.parametrize(
    ("asked", "browser", "lands"),
    [("ES", "fr", "es"), ("es-MX", "fr", "es"), ("fr", "ar,en;q=0.4", "ar"), ("xx", "*", "en"), ("de", "", "en")],
)
def test_a_language_that_is_not_there_leads_to_the_nearest_one(
    world: World, asked: str, browser: str, lands: str
) -> None:
    answer = world.browser(accept_language=browser).get(f"/w/love-always-wins/{asked}/anascode22?own=1")
    assert (answer.status_code, answer.location) == (302, f"/w/love-always-wins/{lands}/anascode22?own=1")


def test_an_appeal_without_a_blast_is_nobodys_to_read(world: World) -> None:
    with world.installation.database.write() as session:
        draft = Appeal(slug="draft", source_language="en")
        draft.translations.append(Translation(language="en", title="Secret"))
        session.add(draft)
    for address in ("/w/draft/en", "/w/nothing/en", "/w/love-always-wins/es/NO-CODE", "/s/anascode22/draft"):
        assert world.browser().get(address).status_code == 404


def test_a_friend_lands_in_their_own_language_and_the_visit_is_credited(world: World) -> None:
    answer = world.browser(accept_language="ar-EG,ar;q=0.9").get("/s/anascode22/love-always-wins?c=whatsapp")
    assert (answer.status_code, answer.location) == (302, "/w/love-always-wins/ar/anascode22?c=whatsapp")
    [event] = world.events()
    assert (event.kind, event.member_id, event.via_id) == ("visit", None, world.ana)
    assert (event.blast_id, event.channel, event.machine) == (world.blast, "whatsapp", "")


def test_a_share_link_may_name_the_blast(world: World) -> None:
    with world.installation.database.write() as session:
        session.execute(update(Blast).values(slug="love-always-wins-3"))
    answer = world.browser(accept_language="en").get("/s/anascode22/love-always-wins-3")
    assert answer.location == "/w/love-always-wins/en/anascode22"


def test_a_messenger_that_draws_the_card_gets_the_sharers_language_and_counts_as_a_machine(world: World) -> None:
    answer = world.browser(user_agent="WhatsApp/2.23").get("/s/anascode22/love-always-wins?c=forged")
    assert answer.location == "/w/love-always-wins/es/anascode22"
    [event] = world.events()
    assert (event.machine, event.channel) == ("bot", "")
    card = world.browser().get(answer.location).text
    assert '<meta property="og:title" content="El amor siempre gana">' in card
    assert re.search(r'og:image" content="http://mobilizer\.test/media/[0-9a-f]{40}\.jpg"', card)
    assert 'og:url" content="http://mobilizer.test/s/anascode22/love-always-wins"' in card


def test_a_code_that_is_nobodys_still_shows_the_film(world: World) -> None:
    answer = world.browser(accept_language="es").get("/s/nobodys22/love-always-wins")
    assert answer.location == "/w/love-always-wins/es"
    assert world.events() == []


def test_the_button_without_script_thanks_and_counts_the_member(world: World) -> None:
    form = re.search(r'name="stamp" value="([^"]+)"', world.browser().get(PAGE).text)
    assert form is not None
    answer = world.browser().post(PAGE, data={"did": "word", "own": "1", "stamp": form[1]})
    assert (answer.status_code, answer.location) == (303, PAGE + "?own=1&thanks=1#share")
    assert "Gracias por verla." in world.browser().get(PAGE + "?own=1&thanks=1").text
    [event] = world.events()
    assert (event.kind, event.member_id, event.via_id) == ("watch", world.ana, None)
    assert (event.channel, event.blast_id, event.language) == ("word", world.blast, "es")


def test_a_friend_who_says_without_script_that_they_watched_is_one_viewing(world: World) -> None:
    world.did("word")
    for did in ("start", "25", "button"):  # another, whose page ran its script
        world.did(did)
    settle(world.installation.database)
    with world.installation.database.read() as session:
        assert brought_by(session, world.ana).watches == 2


def test_the_channel_that_led_here_stays_with_the_visitor(world: World) -> None:
    """Or nobody could say through which channel those joined who changed the language first, or had no script."""
    with world.installation.database.write() as session:
        session.execute(update(MemberList).values(open=True))
    page = html.unescape(world.browser().get(f"{PAGE}?c=sms").text)
    assert 'href="/w/love-always-wins/ar/anascode22?c=sms"' in page
    assert re.search(r'href="/j/[^"]+&by=anascode22&c=sms"', page)
    here = re.search(r'action="([^"]+)"', page)
    stamped = STAMP.search(page)
    assert here is not None
    assert stamped is not None
    answer = world.browser().post(here[1], data={"did": "word", "stamp": stamped[0]})
    assert answer.location == f"{PAGE}?c=sms&thanks=1#share"
    thanked = html.unescape(world.browser().get(answer.location).text)
    assert 'href="/w/love-always-wins/ar/anascode22?c=sms&thanks=1"' in thanked, "who has said it is not asked again"
    assert re.search(r'href="/j/[^"]+&by=anascode22&c=sms"', thanked)


def test_a_friends_watch_is_credited_to_the_member_who_shared(world: World) -> None:
    answer = world.did("95")
    assert (answer.status_code, answer.data) == (204, b"")
    [event] = world.events()
    assert (event.kind, event.member_id, event.via_id) == ("watch", None, world.ana)


def test_a_share_is_recorded_with_its_channel(world: World) -> None:
    world.did("share", channel="telegram", own="1")
    [event] = world.events()
    assert (event.kind, event.member_id, event.channel) == ("share", world.ana, "telegram")


def test_another_sites_form_counts_for_nothing(world: World) -> None:
    found = re.search(r'data-stamp="([^"]+)"', world.browser().get(PAGE).text)
    assert found is not None
    said = {"did": "start", "own": "1", "beacon": "1", "stamp": found[1]}
    assert world.browser(sec_fetch_site="cross-site").post(PAGE, data=said).status_code == 204
    assert world.browser().post(PAGE, data={"did": "unsubscribe"}).status_code == 404
    assert world.events() == []


@pytest.mark.parametrize("wrong", ["", "forged", "of another page", "altered", "old"])
def test_what_comes_without_the_stamp_of_the_page_is_answered_and_not_counted(world: World, wrong: str) -> None:
    with world.app.test_request_context():
        good = stamp("love-always-wins", "es", "anascode22")
        said = {"of another page": stamp("love-always-wins", "ar", "anascode22"), "altered": f"x{good}"}.get(
            wrong, wrong
        )
    with time_machine.travel(datetime.now(UTC) + timedelta(days=2 if wrong == "old" else 0)):
        answer = world.browser().post(PAGE, data={"did": "start", "stamp": said, "beacon": "1"})
    assert answer.status_code == 204
    assert world.events() == []


def test_a_showing_counts_each_thing_once_however_often_it_says_so(world: World, redis_url: str) -> None:
    settings = world.installation.settings.model_copy(update={"redis_url": redis_url})
    app = app_of(replace(world.installation, settings=settings))
    with app.test_request_context():
        first, second = (stamp("love-always-wins", "es", "anascode22") for _ in range(2))
    for given, did, channel in (
        *[(first, "start", ""), (first, "start", ""), (first, "25", ""), (second, "start", "")],
        *[(second, "share", "copy"), (second, "share", "sms"), (second, "share", "copy")],
    ):
        app.test_client().post(PAGE, data={"did": did, "channel": channel, "stamp": given, "beacon": "1"})
    settle(world.installation.database)
    drain_hits(app.extensions[EXTENSION])
    assert [event.channel for event in world.events()] == ["start", "25", "start", "copy", "sms"]


def test_a_watch_belongs_to_the_latest_blast_that_was_meant_for_the_member(world: World) -> None:
    with world.installation.database.write() as session:
        appeal = session.get_one(Blast, world.blast).appeal_id
        session.add(Blast(slug="later", appeal_id=appeal, default_language="en", chain=[], hold_reason=""))
    world.did("start", own="1")
    assert [event.blast_id for event in world.events()] == [world.blast]


def test_the_page_is_light_and_loads_nothing_from_elsewhere(world: World) -> None:
    client = world.browser()
    answer = client.get(PAGE)
    files = re.findall(r'(?:href|src|poster)="(/(?:public/[^"]+|media/\w+\.jpg))"', answer.text)
    assert len(files) == 5
    weight = len(answer.data) + sum(len(client.get(file).data) for file in files)
    assert weight < 60_000
    loaded = re.findall(r'(?:src|poster|srcset)="([^"]+)"|<link[^>]+href="([^"]+)"', answer.text)
    assert all(one.startswith(("/", "data:,")) for pair in loaded for one in pair if one)
    assert not re.search(r"<style|style=|\son\w+=|<script(?! src=)", answer.text)


def test_a_page_is_drawn_once_and_filled_in_for_each(world: World) -> None:
    application = partial(Flask.wsgi_app, world.app)
    plain, kept = Client(application), Client(DrawnPages(world.app, application))
    world.app.config["DRAWN_SECONDS"] = 60
    for code, asked in (("/anascode22", "?own=1"), ("/amalcode33", "?own=1"), ("", ""), ("/anascode22", "?c=x")):
        address = f"/w/love-always-wins/es{code}{asked}"
        whole, first, second = plain.get(address), kept.get(address), kept.get(address)
        stamps = [set(STAMP.findall(one.text)) for one in (whole, first, second)]
        assert [len(found) for found in (*stamps, set.union(*stamps))] == [1, 1, 1, 3], "one for each showing"
        assert len({STAMP.sub("", one.text) for one in (whole, first, second)}) == 1
        assert {name: second.headers.get(name) for name, _ in whole.headers if name != "X-Request-Id"} == {
            name: value for name, value in whole.headers if name != "X-Request-Id"
        }
    with world.installation.database.write() as session:
        session.execute(update(Translation).values(title="Changed"))
    assert "Changed" not in kept.get(f"{PAGE}?own=1").text
    assert "Changed" in kept.get("/w/love-always-wins/en").text
    given = STAMP.findall(kept.get(f"{PAGE}?own=1").text)
    kept.post(PAGE, data={"did": "start", "stamp": given[0], "beacon": "1"})
    assert [(event.via_id, event.channel) for event in world.events()] == [(world.ana, "start")]
    other = kept.get("/w/love-always-wins/fr/anascode22", headers={"Accept-Language": "ar"})
    assert other.headers["Location"].endswith("/ar/anascode22")
    assert kept.get("/w/nothing/es").status_code == 404


def test_a_heavy_poster_is_made_light_once(tmp_path: Path) -> None:
    noise = BytesIO()
    Image.effect_noise((1600, 900), 60).save(noise, "PNG")
    heavy = keep(tmp_path, noise.getvalue(), ".png")
    lightened = light(tmp_path, heavy)
    assert (tmp_path / lightened).stat().st_size < (tmp_path / heavy).stat().st_size / 10
    with Image.open(tmp_path / lightened) as image:
        assert (image.format, image.size) == ("JPEG", (960, 540))
    made = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert light(tmp_path, heavy) == lightened
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == made
    assert light(tmp_path, "0" * 40 + ".jpg") == "0" * 40 + ".jpg"


def test_every_page_is_closed_quiet_and_without_cookies(world: World) -> None:
    for address in (PAGE, "/s/anascode22/love-always-wins", "/w/none/en", "/u/forged", "/public/brand.css"):
        answer = world.browser().get(address)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers


def test_the_brands_colour_can_be_read_in_light_and_dark(world: World) -> None:
    for hue in ("#a5123d", "#ffffff", "#000000", "#ffe600", "#7f7f7f", "#0050ff"):
        light, dark = re.findall(r"--brand:(#\w+);--on-brand:(#\w+);--brand-tint:(#\w+)", brand.stylesheet(hue))
        for (main, on, tint), ground in ((light, brand.WHITE), (dark, brand.DARK_CARD)):
            assert contrast((main), ground) >= 4.5
            assert contrast((main), (on)) >= 4.5
            assert contrast((main), (tint)) >= 3
    with pytest.raises(ValueError):
        brand.stylesheet("red;}body{display:none")
    assert "--brand:#a5123d" in world.browser().get("/public/brand.css").text


def test_what_an_appeal_says_is_escaped_everywhere(world: World) -> None:
    nasty = "\"><script>alert('x')</script>"
    with world.installation.database.write() as session:
        session.execute(
            update(Translation)
            .where(Translation.language == "es")
            .values(title=nasty, body=nasty + "\n\n[x](javascript:alert(1))", share_text=nasty, preheader=nasty)
        )
    text = world.browser().get(PAGE).text
    assert "<script>alert" not in text
    assert 'href="javascript' not in text
    assert world.app.extensions[EXTENSION] is world.installation


def test_a_share_link_can_be_held_up_as_a_qr_code(world: World) -> None:
    code = world.code(world.ana)
    page = world.browser().get(f"/w/love-always-wins/es/{code}").text
    assert f'src="/q/{code}/love-always-wins.svg"' in page
    drawn = world.browser().get(f"/q/{code}/love-always-wins.svg")
    assert (drawn.status_code, drawn.mimetype) == (200, "image/svg+xml")
    assert drawn.data.startswith(b"<?xml")
    assert "/q/" not in world.browser().get("/w/love-always-wins/es").text
    assert world.browser().get("/q/AB!/love-always-wins.svg").status_code == 404


def test_members_see_what_came_of_their_link(world: World) -> None:
    preferences = f"/p/{world.token(Purpose.PREFERENCES)}"
    assert "gracias a ti" not in world.browser().get(preferences).text
    with world.installation.database.write() as session:
        for channel in ("start", "95"):
            session.add(Event(kind=EventKind.WATCH, via_id=world.ana, blast_id=world.blast, channel=channel))
        session.add(Event(kind=EventKind.WATCH, via_id=world.ana, blast_id=world.blast, channel="start", machine="bot"))
    assert "1 persona la ha visto gracias a ti." in world.browser().get(preferences).text
