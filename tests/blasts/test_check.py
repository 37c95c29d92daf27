"""The check list: what is red forbids launch, what is green says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import select

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.audience.members import Member
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import CheckLine, Checklist, check
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
    assert {"audience.people", "translation.complete", "parity", "size", "unsubscribe", "sender.postal"} <= codes


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
