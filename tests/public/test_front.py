"""Ahead of Flask: who follows a link arrives whatever fails behind, and what was noted is counted once."""

from __future__ import annotations

import itertools
import json
import math
import os
import socket
import time
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import delete, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from mobilizer import recording
from mobilizer.audience.members import Member
from mobilizer.cli import findings
from mobilizer.custody import retention
from mobilizer.db import Database
from mobilizer.engagement import damaged
from mobilizer.engagement.events import Event
from mobilizer.engagement.hits import Hit, Parcel
from mobilizer.keys import Purpose
from mobilizer.public.targets import BLOCK, Block, Reader
from mobilizer.public.ways_in import FRESH_SECONDS
from tests.public.conftest import World


def test_to_ask_without_wanting_the_page_counts_nothing_and_changes_nothing(world: World) -> None:
    links = [f"/c/{world.token(Purpose.CLICK)}/{world.link(kind)}" for kind in ("watch", "share", "url")]
    links += [f"/o/{world.token(Purpose.OPEN)}.gif", f"/s/{world.code(world.ana)}/love-always-wins"]
    links += [f"/{page}/{world.token(purpose)}" for page, purpose in
              (("u", Purpose.UNSUBSCRIBE), ("p", Purpose.PREFERENCES), ("v", Purpose.VIEW))]  # fmt: skip
    before = world.snapshot()
    for link in links:
        for method in ("HEAD", "OPTIONS"):
            answer = world.browser().open(link, method=method)
            assert answer.status_code < 400
            assert answer.data == b""
    head, get = (world.browser().open(links[0], method=method) for method in ("HEAD", "GET"))
    assert head.headers.to_wsgi_list() == get.headers.to_wsgi_list()
    assert world.browser().post(links[3]).status_code == 405
    assert [event.kind for event in world.events()] == ["click"]
    after = world.snapshot()
    assert {name for name in after if after[name] != before[name]} == {"events", "recorded_parcels"}


def test_what_asks_ahead_is_kept_apart_and_nothing_else_changes(world: World) -> None:
    trap = world.browser().get(f"/c/{world.token(Purpose.CLICK)}/0")
    assert trap.location == "/w/love-always-wins/es/anascode22?own=1"
    assert [(event.agent, event.machine) for event in world.events()] == [("trap", "trap")]
    with world.installation.database.write() as session:
        session.execute(delete(Event))
    before = world.snapshot()
    browser = world.browser(sec_purpose="prefetch")
    for kind in ("watch", "share", "url"):
        browser.get(f"/c/{world.token(Purpose.CLICK)}/{world.link(kind)}")
    browser.get(f"/o/{world.token(Purpose.OPEN)}.gif")
    assert {(event.agent, event.machine) for event in world.events()} == {("prefetch", "prefetch")}
    after = world.snapshot()
    assert {name for name in after if after[name] != before[name]} == {"events", "recorded_parcels"}


def test_links_lead_on_while_the_database_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    click = f"/c/{world.token(Purpose.CLICK)}"
    watch, url = world.link("watch"), world.link("url")
    assert world.browser().get(f"{click}/{url}").status_code == 302

    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(Database, "read", away)
    other = f"/c/{world.token(Purpose.CLICK, member=world.ana + BLOCK)}"
    assert world.browser().get(f"{click}/{watch}").location == "/w/love-always-wins/es/anascode22?own=1"
    assert world.browser().get(f"{other}/{url}").location == "https://law.example.org/x?a=1&b=2"
    assert world.browser().get(f"{other}/{watch}").location == "/w/love-always-wins/und"
    assert world.browser().get(f"/o/{world.token(Purpose.OPEN)}.gif").status_code == 200
    unknown = world.browser(accept_language="de").get(f"/c/{world.token(Purpose.CLICK, blast=77)}/1")
    assert (unknown.status_code, unknown.headers["Retry-After"]) == (503, "20")
    assert '<html lang="de"' in unknown.text
    assert "Dein Link stimmt" in unknown.text


def test_a_friend_arrives_at_the_film_while_the_database_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    link, page = "/s/anascode22/love-always-wins?c=x", "/w/love-always-wins/ar/anascode22?c=x"
    browser = world.browser(accept_language="ar")
    monkeypatch.setitem(world.app.config, "DRAWN_SECONDS", 1e-9)
    assert browser.get(link).location == page
    film = browser.get(page).text

    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(Database, "read", away)
    monkeypatch.setattr("mobilizer.public.ways_in.FRESH_SECONDS", 0)
    drawn = browser.get(page)
    assert (drawn.status_code, len(drawn.text)) == (200, len(film))
    assert browser.get(link).location == page
    # Whose a code is that was not heard of for a while can be asked when the film is watched.
    assert browser.get(link.replace("anas", "amals")).location == page.replace("anas", "amals")
    unknown = browser.get("/s/anascode22/another-film")
    assert (unknown.status_code, unknown.headers["Retry-After"]) == (503, "20")


def test_a_share_code_that_is_taken_back_brings_nobody_any_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    link, now = "/s/anascode22/love-always-wins", time.monotonic()
    film, browser = "/w/love-always-wins/en", world.browser(accept_language="en")
    assert browser.get(link).location == f"{film}/anascode22"
    with world.installation.database.write() as session:
        session.execute(update(Member).values(share_code=Member.share_code + "9"))
    monkeypatch.setattr("mobilizer.public.targets.time.monotonic", lambda: now + FRESH_SECONDS + 1)
    answers = [
        world.browser().get(path) for path in (link, "/s/nobodys1/love-always-wins", "/s/No.body/love-always-wins")
    ]
    assert [answer.location for answer in answers] == [film] * 3
    assert {answer.headers["Vary"] for answer in answers} == {"Accept-Language"}
    assert world.browser().get("/s/anascode22/none-such").status_code == 404
    assert world.browser().post(link).status_code == 405
    assert [(event.kind, event.via_id) for event in world.events()] == [("visit", world.ana)]


def test_hits_lie_in_a_file_while_queue_and_database_are_away_and_are_counted_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("gone"))

    buffer, folder = recording.buffer_of(world.installation), world.installation.settings.home / recording.FOLDER
    with monkeypatch.context() as patch:
        patch.setattr(damaged, "record_parcels", away)
        for n in range(3):
            buffer.note(Hit("click", float(n), world.blast, world.ana))
        buffer.settle()
        [kept] = folder.glob("*.json")
        again = kept.read_bytes()
        (folder / "half.json").write_text('["x", [')
    assert len(world.events()) == 3
    assert [path.suffix for path in folder.iterdir()] == [".unreadable"]
    (folder / kept.name).write_bytes(again)  # as after a crash between the commit and the end of the file
    buffer.note(Hit("open", 1.0, world.blast, world.ana))
    buffer._left_behind = True
    assert len(world.events()) == 4
    assert not list(folder.glob("*.json"))


def test_a_disk_that_is_full_as_well_loses_nothing_that_fits_in_hand(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", full)
        recording.buffer_of(world.installation).note(Hit("click", 1.0, world.blast, world.ana))
        recording.buffer_of(world.installation).flush()
    assert len(world.events()) == 1


def test_a_parcel_that_was_pushed_twice_counts_once(world: World, redis_url: str) -> None:
    settings = world.installation.settings.model_copy(update={"redis_url": redis_url})
    here = type(world.installation)(settings, world.installation.database, world.installation.keyring)
    parcel = Parcel("one", [Hit("click", 1.0, world.blast, world.ana)])
    with Redis.from_url(redis_url) as redis:
        for _ in range(2):
            redis.rpush(recording.HITS, parcel.packed())
        assert json.loads(redis.lindex(recording.HITS, 0))[0] == "one"
    recording.drain_hits(here)
    assert len(world.events()) == 1


def test_two_workers_who_drain_at_once_take_no_parcel_from_the_queue_that_is_not_recorded(
    world: World, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = world.installation.settings.model_copy(update={"redis_url": redis_url})
    here = type(world.installation)(settings, world.installation.database, world.installation.keyring)
    parcels = [Parcel(f"{n}", [Hit("click", float(n), world.blast, world.ana)]) for n in range(25)]
    record = damaged.record_parcels
    with Redis.from_url(redis_url) as redis:
        redis.rpush(recording.HITS, *(parcel.packed() for parcel in parcels))

        def slowly(session: Session, some: list[Parcel]) -> int:
            if some[0].name == "0":  # the lock is over by now, and somebody else has brought the same ones
                redis.ltrim(recording.HITS, len(some), -1)
            return record(session, some)

        monkeypatch.setattr(damaged, "record_parcels", slowly)
        recording.drain_hits(here)
        assert redis.llen(recording.HITS) == 0
    assert len(world.events()) == len(parcels)


def test_a_parcel_that_can_not_be_read_or_written_is_laid_aside_and_holds_up_no_other(
    world: World, redis_url: str
) -> None:
    settings = world.installation.settings.model_copy(update={"redis_url": redis_url})
    here = type(world.installation)(settings, world.installation.database, world.installation.keyring)
    good = [Parcel(f"{n}", [Hit("click", float(n), world.blast, world.ana)]) for n in range(3)]
    wrong = ['["a", [', "[]", '["b", [["click", 1.0, 1, 1, 0, 0, "", "", "", "", "of a later version"]]]', "\\xff",
             '["c", [["click", "yesterday", 1, 1]]]', '["d", [["no such kind", 1.0, 1, 1]]]',
             '["e", [["click", 1e300, 1, 1]]]', '["f", [["click", 1.0, 1, 99999999999999999999999]]]', "7"]  # fmt: skip
    with Redis.from_url(redis_url) as redis:
        for n, one in enumerate(wrong):
            redis.rpush(recording.HITS, *[parcel.packed() for parcel in good[n : n + 1]], one)
        recording.drain_hits(here)
        assert redis.llen(recording.HITS) == 0
    assert len(world.events()) == len(good)
    home = settings.home
    assert len(damaged.damaged(home)) == len(wrong)
    [finding] = [finding for finding in findings.home(settings) if finding.about == "Clicks"]
    assert finding.level == "warn"
    assert str(len(wrong)) in finding.says
    [rule] = [rule for rule in retention.RULES if rule.name == "damaged"]
    assert rule.forget is not None
    for path in damaged.damaged(home)[:4]:
        os.utime(path, (0, 0))
    assert list(rule.forget(here, 30 * retention.DAY)) == [4]
    assert len(damaged.damaged(home)) == len(wrong) - 4


def test_a_block_of_members_gives_back_who_was_put_in() -> None:
    readers = {n: Reader(f"code{n}", ("es", "ar", "")[n % 3]) for n in range(0, BLOCK, 3)}
    block = Block(readers)
    assert {n: block.reader(n) for n in range(BLOCK) if block.reader(n)} == readers
    assert Block({}).reader(5) is None


def test_a_queue_that_hangs_keeps_hits_no_longer_than_a_tenth_of_a_second(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        buffer = recording.Buffer(url, world.installation.settings.home, world.installation.database)
        buffer.note(Hit("click", 1.0, world.blast, world.ana))
        buffer.settle()
    assert recording.PUSH_SECONDS + recording.BUFFER_SECONDS < 0.2
    assert len(world.events()) == 1


@pytest.mark.parametrize("seconds", [-7200.0, -1.5, 0.0, 1.5, 7200.0])
def test_a_hit_has_the_time_of_the_database_however_this_machines_clock_is_set(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """Or a person who clicks at once is early, and so a machine, where the web server's clock is behind."""
    real = time.time
    monkeypatch.setattr("mobilizer.recording.time.time", lambda: real() - seconds)
    assert recording.ahead(world.installation.database) == pytest.approx(seconds, abs=recording.ALIKE_SECONDS)
    buffer = recording.buffer_of(world.installation)
    assert buffer._caring.acquire(timeout=30)
    buffer._care()
    buffer._care_from = math.inf  # from here on this machine's clock stands still
    monkeypatch.setattr("mobilizer.public.front.time.time", lambda: 1000.0 - seconds)
    world.browser().get(f"/c/{world.token(Purpose.CLICK)}/{world.link('url')}")
    [event] = world.events()
    assert event.at.timestamp() == pytest.approx(1000, abs=1)


def test_clocks_that_may_be_alike_are_taken_for_alike(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is answered slowly learns little of the time: nothing is put right by a guess."""
    assert recording.ahead(world.installation.database) == 0
    began = time.time()
    ticks = itertools.cycle((began - 12, began + 4))  # asked and heard: 16 seconds for an answer
    monkeypatch.setattr("mobilizer.recording.time.time", lambda: next(ticks))
    assert recording.ahead(world.installation.database) == 0


def test_what_is_damaged_while_the_disk_is_full_waits_and_holds_up_no_other(
    world: World, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = world.installation.settings.model_copy(update={"redis_url": redis_url})
    here = type(world.installation)(settings, world.installation.database, world.installation.keyring)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with Redis.from_url(redis_url) as redis, monkeypatch.context() as patch:
        redis.rpush(recording.HITS, *["[]"] * 12, Parcel("good", [Hit("click", 1.0, world.blast, world.ana)]).packed())
        patch.setattr(Path, "write_bytes", full)
        recording.drain_hits(here)
        assert redis.llen(recording.HITS) == 0
        assert redis.llen(recording.ASIDE) == 12
        patch.undo()
        recording.drain_hits(here)
        assert redis.llen(recording.ASIDE) == 0
    assert len(world.events()) == 1
    assert [path.read_bytes() for path in damaged.damaged(settings.home)] == [b"[]"]


def test_a_damaged_file_is_laid_aside_without_room_and_forgotten_by_its_own_machine(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer, folder = recording.buffer_of(world.installation), world.installation.settings.home / recording.FOLDER
    folder.mkdir(exist_ok=True)
    (folder / "half.json").write_text('["x", [')

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        buffer._in_hand.append(Parcel("bad", [Hit("no such kind", 1.0, world.blast, world.ana)]))
        buffer._in_hand.append(Parcel("good", [Hit("click", 1.0, world.blast, world.ana)]))
        buffer.settle()
        assert [parcel.name for parcel in buffer._in_hand] == ["bad"], "it is not lost, and holds up no other"
        [laid_aside] = damaged.damaged(world.installation.settings.home)
    buffer.settle()
    assert not buffer._in_hand
    assert len(damaged.damaged(world.installation.settings.home)) == 2
    os.utime(laid_aside, (0, 0))
    assert buffer._caring.acquire(timeout=30)
    buffer._care()
    assert not laid_aside.exists()
    assert len(damaged.damaged(world.installation.settings.home)) == 1
