"""The check list: what is red forbids launch, what is green says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from lxml.html import document_fromstring
from sqlalchemy import select

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.editing import save_translation
from mobilizer.appeals.glossary import Wanted, put_term
from mobilizer.appeals.states import approve, content_hash
from mobilizer.audience.members import Member
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blast_checks import sender
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import Checklist, check
from mobilizer.blasts.checklist import CheckLine
from mobilizer.blasts.lifecycle import Plan
from mobilizer.blasts.link_checks import body_links
from mobilizer.blasts.mail_checks import MAIL_CHECKS, contrasts
from mobilizer.delivery.checks import ledger_checks
from mobilizer.delivery.heartbeats import beat
from tests.worlds import World


@pytest.fixture
def world(world: World) -> World:
    """The world's appeal has a video and a poster, so that nothing is red."""
    change(world, lambda appeal: (setattr(appeal, "video", "film.mp4"), setattr(appeal, "poster", "poster.jpg")))
    poster(world, "poster.jpg")
    return world


def poster(world: World, name: str) -> None:
    from PIL import Image

    Image.new("RGB", (1280, 720), "#402060").save(world.installation.settings.media / name)


def change(world: World, how: Callable[[Appeal], object]) -> None:
    with world.installation.database.write() as session:
        how(session.scalars(select(Appeal)).one())


def translation(appeal: Appeal, tag: str) -> Translation:
    return next(one for one in appeal.translations if one.language == tag)


def checked(world: World) -> Checklist:
    with world.installation.database.read() as session:
        return check(session, world.installation, session.get_one(Blast, world.blast_id), date(2026, 11, 22))


def red(world: World) -> list[CheckLine]:
    return [line for line in checked(world).lines if line.level == "error"]


def test_a_blast_in_order_is_ready_and_every_point_is_said(world: World) -> None:
    found = checked(world)
    assert found.ready
    assert found.people == 5
    codes = {line.problem.code for line in found.lines if line.level == "ok"}
    assert {"audience.people", "translation.complete", "parity", "sender.postal", "colours"} <= codes
    assert {one.code for one in MAIL_CHECKS} - {"spam"} <= codes, "once for all languages"


def test_a_poster_in_one_language_only_forbids_launch_and_names_the_others(world: World) -> None:
    def only_english(appeal: Appeal) -> None:
        appeal.poster, translation(appeal, "en").poster = "", "poster.jpg"

    change(world, only_english)
    assert [(line.problem.code, line.field) for line in red(world)] == [("appeal.no_poster_in", "poster")]
    assert "Español" in red(world)[0].problem.text()


@pytest.mark.parametrize("kind", ["poster", "video"])
def test_no_poster_or_no_video_at_all_forbids_launch(world: World, kind: str) -> None:
    change(world, lambda appeal: setattr(appeal, kind, ""))
    assert [line.problem.code for line in red(world)] == [f"appeal.no_{kind}"]


def test_a_poster_whose_file_is_gone_forbids_launch(world: World) -> None:
    (world.installation.settings.media / "poster.jpg").unlink()
    assert {line.problem.code for line in red(world)} == {"poster.gone"}


def test_a_translation_without_its_link_forbids_launch_and_says_where(world: World) -> None:
    change(world, lambda appeal: setattr(translation(appeal, "es"), "body", "Míralo."))
    assert [(line.language, line.field) for line in red(world)] == [("es", "body")]
    assert not any(line.problem.code == "parity" for line in checked(world).lines)


def test_what_is_not_complete_is_not_sent_and_forbids_nothing(world: World) -> None:
    change(world, lambda appeal: setattr(translation(appeal, "es"), "subject", ""))
    found = checked(world)
    assert found.ready
    assert found.gets == {"en": 5}
    assert any(line.problem.code == "translation.incomplete" and line.level == "warning" for line in found.lines)


def test_nobody_to_send_to_forbids_launch(world: World) -> None:
    with world.installation.database.write() as session:
        for member in session.scalars(select(Member)):
            session.delete(member)
    assert [line.problem.code for line in red(world)] == ["audience.empty"]


def test_the_suppressed_are_counted_apart(world: World) -> None:
    with world.installation.database.write() as session:
        suppress(session, session.get_one(Member, world.members[0]).address_key, SuppressedFor.MANUAL)
    assert (checked(world).people, checked(world).suppressed) == (5, 1)


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("javascript:alert(1)", "link.scheme"),
        ("https://nowhere", "link.broken"),
        ("https://me@example.org/", "link.broken"),
        ("https://[::1", "link.broken"),
        ("http://192.168.1.7/film", "link.local"),
        ("https://intranet.local/film", "link.local"),
        ("https://mobilizer.test/w/gone/es", "link.own_gone"),
        ("https://bit.ly/3xyz", "link.shortened"),
        ("http://example.org/film", "link.plain"),
        ("https://mobilizer.test/w/here/es", ""),
        ("https://пример.рф/film", ""),
        ("mailto:us@example.org", ""),
    ],
)
def test_a_link_leads_to_where_people_can_go(link: str, code: str) -> None:
    found = body_links(f"Look: [here]({link})", "https://mobilizer.test", lambda path: path == "/w/here/es")
    assert [one[0] for one in found] == ([code] if code else [])


def test_what_is_wrong_in_one_mail_names_the_language_and_the_field(world: World) -> None:
    def shout(appeal: Appeal) -> None:
        said = translation(appeal, "es")
        said.subject, said.body = "RE: MIRA ESTO AHORA!!", "[Más](http://127.0.0.1/es)"

    change(world, shout)
    found = {line.problem.code: (line.level, line.language, line.field) for line in checked(world).lines}
    assert found["spam.capitals"] == found["spam.marks"] == found["spam.reply"] == ("warning", "es", "subject")
    assert found["link.local"] == ("error", "es", "body")
    assert found["size"][0] == found["unsubscribe"][0] == "ok", "the others still say that all is well"


def test_words_that_cannot_be_read_and_pictures_that_say_nothing_are_red() -> None:
    page = document_fromstring(
        '<body style="background-color: #ffffff"><!-- #777 --><p style="color:#33333b">Read me</p>'
        '<div style="display:none;color:#fffffe">hidden</div><a style="background-color:#ffe000;color:#fff">Go on</a>'
    )
    ratio, words = min(contrasts(page, "#000000", "#ffffff"))
    assert words == "Go on"
    assert ratio < 4.5


def test_a_sender_that_is_not_ours_and_a_site_that_nobody_reaches_forbid_launch(world: World) -> None:
    settings = world.installation.settings
    gmail = settings.model_copy(update={"sender_address": "us@gmail.com"})
    assert "sender.not_ours" in {line.problem.code for line in sender(gmail) if line.level == "error"}
    out = {"smtp_host": "relay.example.org", "base_url": "http://localhost:8000", "sender_address": "us@host.local"}
    codes = {line.problem.code for line in sender(settings.model_copy(update=out)) if line.level == "error"}
    assert codes == {"site.local", "sender.local"}
    assert not any(line.level == "error" for line in sender(settings.model_copy(update={**out, "loopback_only": True})))


def test_the_ledger_says_who_would_send_it_and_who_had_mail_lately(world: World) -> None:
    def codes() -> dict[str, CheckLine]:
        with world.installation.database.read() as session:
            return {
                line.problem.code: line
                for line in ledger_checks(world.installation.settings, session, world.blast(), None)
            }

    assert codes()["workers.none"].level == "warning"
    assert codes()["audience.not_lately"].level == "ok"
    first = world.blast_id
    world.launch()
    with world.installation.database.write() as session:
        beat(session, "w1", "worker")
        beat(session, "r1", "reconciler")
        appeal = session.scalars(select(Appeal)).one()
        plan = Plan(included=(world.list_id,))
        world.blast_id = lifecycle.create(session, appeal, "again", plan).id
    assert world.blast_id != first
    found = codes()
    assert found["workers"].problem.params["count"] == 1
    assert found["audience.lately"].problem.params["count"] == 5


def test_an_out_of_date_language_forbids_launch_unless_it_is_waited_for(world: World) -> None:
    with world.installation.database.write() as session:
        appeal = session.scalars(select(Appeal)).one()
        assert save_translation(session, appeal, "en", {"button": "Watch the film"}) == []
    assert [(line.problem.code, line.language, line.field) for line in red(world)] == [
        ("translation.outdated", "es", "button")
    ]
    with world.installation.database.write() as session:
        session.get_one(Blast, world.blast_id).waits = ["es"]
    assert red(world) == []
    assert "translation.late" in {line.problem.code for line in checked(world).lines if line.level == "warning"}


def test_what_was_approved_is_green_and_what_nobody_has_reviewed_is_amber(world: World) -> None:
    def levels() -> set[tuple[str, str]]:
        return {(one.problem.code, one.level) for one in checked(world).lines if one.language == "es"}

    assert ("translation.complete", "warning") in levels()
    with world.installation.database.write() as session:
        appeal = session.scalars(select(Appeal)).one()
        own = translation(appeal, "es")
        assert approve(session, appeal, own, None, content_hash(appeal, own)) == []
        assert put_term(session, Wanted("Love", "en", kept=True)) == []
    found = {(one.problem.code, one.level) for one in checked(world).lines}
    assert {("translation.reviewed", "ok"), ("appeal.term_missing", "warning")} <= found


def test_the_chain_does_not_end_with_a_language_that_is_waited_for(world: World) -> None:
    """Whoever falls back to it would have a mail that nobody has made."""
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        blast.default_language, blast.waits = "es", ["es"]
    assert [line.problem.code for line in red(world)] == ["translation.default_waits"]
    with world.installation.database.write() as session:
        appeal = session.scalars(select(Appeal)).one()
        own = translation(appeal, "es")
        assert approve(session, appeal, own, None, content_hash(appeal, own)) == []
    assert red(world) == []
