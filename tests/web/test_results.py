"""Results: everyone adds up, what came back is people, and each mail can be listed by those who may."""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from urllib.parse import unquote

import pytest
from sqlalchemy import select

from mobilizer import web
from mobilizer.audience.members import Member
from mobilizer.audience.named_sharers import agree, take_back
from mobilizer.audience.preferences import count_sharing
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.db import Database
from mobilizer.delivery.ledger import DeliveryState
from mobilizer.delivery.listing import deliveries_page
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.recruits import recruited
from mobilizer.organizers.policy import Role
from mobilizer.segments.tree import read_rules
from tests.web.appeal_stage import make_ready, settle
from tests.web.conftest import Browser
from tests.worlds import World

RESULTS, EACH = "/blasts/love-always-wins/results", "/blasts/love-always-wins/deliveries"
SignIn = Callable[..., Browser]
STATIC = Path(web.__file__).parent / "static"


@pytest.fixture
def sent(world: World) -> World:
    """Five people: two accepted, one rejected, one skipped, one uncertain; one clicked twice and watched."""
    make_ready(world)
    world.launch()
    first, second, third, fourth, fifth = world.members
    settle(world, first, DeliveryState.ACCEPTED)
    settle(world, second, DeliveryState.REJECTED, reason="hard", code=550, reply="550 5.1.1 No <such> user")
    settle(world, third, DeliveryState.SKIPPED, reason="unsubscribed")
    settle(world, fourth, DeliveryState.UNCERTAIN, reason="worker_lost")
    settle(world, fifth, DeliveryState.ACCEPTED)
    with world.installation.database.write() as session:
        kinds = [EventKind.CLICK, EventKind.CLICK, EventKind.WATCH]
        session.add_all(Event(kind=kind, blast_id=world.blast_id, member_id=first) for kind in kinds)
        session.add(Event(kind=EventKind.CLICK, blast_id=world.blast_id, member_id=fifth, machine="scanner"))
    return world


def test_everyone_adds_up(signed_in: SignIn, sent: World) -> None:
    page = signed_in(Role.ORGANIZER).get(RESULTS).text
    assert "Accepted: 2, Rejected: 1, Skipped: 1, Uncertain: 1" in page
    assert "The mailbox does not exist" in page
    assert "Left the list before it was sent" in page


def test_a_number_of_a_language_opens_the_people_behind_it(signed_in: SignIn, sent: World) -> None:
    organizer = signed_in(Role.ORGANIZER)
    page = html.unescape(organizer.get(RESULTS).text)
    ways = [json.loads(unquote(found)) for found in re.findall(r'/segments/new\?rules=([^"]+)"', page)]
    of_english = [
        way for way in ways if way[0] == {"rule": "got_in_language", "blast": sent.blast_id, "language": "en"}
    ]
    assert [way[1:] for way in of_english] == [
        [],
        [{"rule": "did_in_blast", "act": "click", "blast": sent.blast_id}],
        [{"rule": "did_in_blast", "act": "watch", "blast": sent.blast_id}],
    ]
    builder = organizer.get("/segments/new", query_string={"rules": json.dumps(of_english[0])}).text
    assert "2 people fit and can be mailed" in builder
    with sent.installation.database.read() as session:
        found = session.scalars(select(Member.id).where(read_rules(of_english[0]).where(datetime.now(UTC)))).all()
    assert set(found) == {sent.members[0], sent.members[4]}


def test_how_far_they_watched_is_told_by_language(signed_in: SignIn, sent: World) -> None:
    watched = {"kind": EventKind.WATCH, "blast_id": sent.blast_id}
    organizer = signed_in(Role.ORGANIZER)
    assert "How far they watched" not in organizer.get(RESULTS).text
    with sent.installation.database.write() as session:
        session.add_all(Event(**watched, member_id=sent.members[0], channel=at) for at in ("start", "25", "50"))
        session.add(Event(**watched, via_id=sent.members[0], channel="start"))
    page = organizer.get(RESULTS).text.split('aria-labelledby="far"')[1].split("</section>")[0]
    assert re.findall(r"<bdi>(\d)</bdi>", page) == list("1110010000")


def test_only_those_who_agreed_are_named_as_sharers(signed_in: SignIn, sent: World) -> None:
    named, silent, uncounted = sent.members[:3]
    with sent.installation.database.write() as session:
        for one in (named, silent, uncounted):
            session.add(Event(kind=EventKind.WATCH, blast_id=sent.blast_id, via_id=one, channel="start"))
            if one != silent:
                agree(session, one, "Yes", "en")
        count_sharing(session, uncounted, counted=False)
    organizer = signed_in(Role.ORGANIZER)
    page = organizer.get(f"{RESULTS}/sharers").text
    assert organizer.post(f"{RESULTS}/sharers.csv").status_code == 403
    assert re.findall(r'href="/members/(\d+)"', page) == [str(named)]
    rows = list(csv.reader(StringIO(signed_in(Role.ADMIN).post(f"{RESULTS}/sharers.csv").text)))
    assert [(row[0], row[3], row[4]) for row in rows] == [("member", "watches", "joined"), (str(named), "1", "0")]
    with sent.installation.database.write() as session:
        take_back(session, named)
    assert "/members/" not in organizer.get(f"{RESULTS}/sharers").text.split("<main")[1]
    assert signed_in(Role.VIEWER).get(f"{RESULTS}/sharers").status_code == 403


def test_people_are_counted_not_hits_and_machines_not_at_all(signed_in: SignIn, sent: World) -> None:
    page = signed_in(Role.ORGANIZER).get(RESULTS).text
    clicked = page.split('<span class="funnel-name">Clicked</span>')[1].split("funnel-number")[1]
    assert '>1</bdi></a></span><bdi class="share">50%</bdi>' in clicked
    assert "9.5% – 91%" in clicked  # of two people; how far chance may lead
    assert "scanner" in page, "the rule that tells a machine is named"


def test_a_number_opens_the_people_behind_it(signed_in: SignIn, sent: World) -> None:
    organizer = signed_in(Role.ORGANIZER)
    asked = re.search(r'href="(/segments/new\?rules=[^"]*click[^"]*)"', organizer.get(RESULTS).text)
    assert asked is not None
    builder = organizer.get(asked[1]).text
    assert "Clicked in the blast" in builder or 'value="click" selected' in builder
    assert "1 person fits and can be mailed" in builder
    assert organizer.get("/segments/new?rules=%5B%7B").status_code == 200, "what are no rules is the empty builder"


def test_a_complaint_counts_for_the_blast_they_have(signed_in: SignIn, sent: World) -> None:
    with sent.installation.database.write() as session:
        key = session.get_one(Member, sent.members[0]).address_key
        session.add(Suppression(address_key=key, reason=SuppressedFor.COMPLAINT))
    rows = sheet(signed_in(Role.ORGANIZER).get(f"{RESULTS}.csv").text)
    assert [(row["language"], row["complaints"]) for row in rows][-1] == ("*", "1")


def test_the_file_adds_up_and_no_spreadsheet_runs_it(signed_in: SignIn, sent: World) -> None:
    with sent.installation.database.write() as session:
        session.get_one(Blast, sent.blast_id).slug = "=cmd"
    answer = signed_in(Role.ORGANIZER).get("/blasts/=cmd/results.csv")
    assert answer.mimetype == "text/csv"
    *languages, together = sheet(answer.text)
    for field in ("people", "accepted", "rejected", "clickers", "clicks"):
        assert sum(int(row[field]) for row in languages) == int(together[field])
    assert (together["blast"], together["clickers_share"], together["clickers_low"]) == ("'=cmd", "0.5", "0.094531")


def test_blasts_are_laid_side_by_side(signed_in: SignIn, sent: World) -> None:
    organizer = signed_in(Role.ORGANIZER)
    assert "Nothing to compare yet" in organizer.get("/results/compare").text
    sent.write_appeal("again")
    sent.launch()
    page = organizer.get("/results/compare?blast=love-always-wins&blast=again&blast=nothing&language=es").text
    assert page.count("checked") == 2
    assert all(f"/blasts/{slug}/results" in page for slug in ("love-always-wins", "again"))
    assert "Español" in page


def test_the_mail_of_the_link_map_has_numbers_and_nobodys_token(signed_in: SignIn, sent: World) -> None:
    organizer = signed_in(Role.ORGANIZER)
    with sent.installation.database.write() as session:
        session.add(Event(kind=EventKind.CLICK, blast_id=sent.blast_id, member_id=sent.members[0], link_n=1))
    tag = sent.delivery(sent.members[0]).language
    page = organizer.get(f"{RESULTS}/links?language={tag}").text
    assert f"{RESULTS}/links/{tag}/mail" in page
    answer = organizer.get(f"{RESULTS}/links/{tag}/mail")
    assert "1 · 1</span>" in answer.text
    assert " href=" not in answer.text, "nothing in it leads anywhere"
    assert not re.search(r"/(c|o|u|p|v)/[a-z0-9]{10,}", answer.text), "and no token is in it"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert organizer.get(f"{RESULTS}/links/xx/mail").status_code == 404


def test_domains_are_said_and_the_report_says_none(signed_in: SignIn, sent: World) -> None:
    organizer = signed_in(Role.ORGANIZER)
    page = organizer.get(f"{RESULTS}/troubles").text
    assert "example.org" in page
    assert "member1@" not in page
    report = organizer.get(f"{RESULTS}/report").text
    assert "The mailbox does not exist" in report
    assert "No &lt;such&gt; user" not in report, "a reply may quote an address"
    assert "/segments/new" not in report


def test_shares_are_told_step_by_step(signed_in: SignIn, sent: World) -> None:
    organizer = signed_in(Role.ORGANIZER)
    assert "Nobody came by a share yet" in organizer.get(f"{RESULTS}/shares").text
    with sent.installation.database.write() as session:
        recruited(session, sent.members[4], sent.members[0], sent.blast_id, "whatsapp")
    page = organizer.get(f"{RESULTS}/shares").text
    assert "WhatsApp" in page
    assert "recruited_in_blast" in page
    assert ">0.5</bdi>" in page, "one joined of two whom the mail reached"


def sheet(text: str) -> list[dict[str, str]]:
    """The lines of a file."""
    return list(csv.DictReader(StringIO(text)))


def test_results_are_listed(signed_in: SignIn, sent: World) -> None:
    assert RESULTS in signed_in(Role.ORGANIZER).get("/results").text


def test_each_mail_is_listed_by_outcome_and_reason(signed_in: SignIn, sent: World) -> None:
    organizer = signed_in(Role.ORGANIZER)
    everyone = organizer.get(EACH).text
    assert all(f"Ana{n} López" in everyone for n in range(5))
    rejected = organizer.get(f"{EACH}?state=rejected&reason=hard").text
    assert "Ana1 López" in rejected
    assert "Ana0 López" not in rejected
    assert "550 5.1.1 No &lt;such&gt; user" in rejected
    assert "Nobody here." in organizer.get(f"{EACH}?state=rejected&reason=full").text


def test_no_address_is_on_the_page_of_deliveries(signed_in: SignIn, sent: World) -> None:
    page = signed_in(Role.ORGANIZER).get(EACH).text
    assert "member0@" not in page


def test_a_member_who_was_erased_since_is_still_listed(signed_in: SignIn, sent: World) -> None:
    with sent.installation.database.write() as session:
        session.delete(session.get_one(Member, sent.members[0]))
    page = signed_in(Role.ORGANIZER).get(EACH).text
    assert "erased" in page
    assert f"<bdi>{sent.members[0]}</bdi>" in page


def test_pages_of_deliveries_miss_nobody(sent: World, database: Database) -> None:
    found, after = [], 0
    with database.read() as session:
        while True:
            page = deliveries_page(session, sent.installation.keyring, sent.blast_id, after=after, size=2)
            found += [line.member_id for line in page.lines]
            if page.next is None:
                break
            after = page.next
    assert sorted(found) == sorted(sent.members)


def test_odd_queries_are_the_whole_list(signed_in: SignIn, sent: World) -> None:
    answer = signed_in(Role.ORGANIZER).get(f"{EACH}?state=%27&after=-1&reason=")
    assert answer.status_code == 200


def test_before_launch_there_are_no_results(signed_in: SignIn, world: World) -> None:
    organizer = signed_in(Role.ORGANIZER)
    views = ("time", "shares", "links", "troubles", "report")
    for path in (RESULTS, EACH, f"{RESULTS}.csv", *(f"{RESULTS}/{view}" for view in views)):
        assert organizer.get(path).location == "/blasts/love-always-wins/check"


def test_one_press_makes_a_follow_up_that_stays_one(signed_in: SignIn, sent: World) -> None:
    organizer, page = signed_in(Role.ORGANIZER), "/blasts/love-always-wins/follow-up"
    assert "can be followed up when it is sent" in organizer.get(page).text
    assert organizer.post(page, kind="unopened", appeal="love-always-wins").status_code == 422
    database = sent.installation.database
    with database.write() as session:
        session.get_one(Blast, sent.blast_id).state = BlastState.SENT
    shown = organizer.get(page).text
    assert re.findall(r'class="cause-people">.*?>([0-9]+)</bdi>', shown) == ["1", "1", "0"]
    assert organizer.post(page, kind="everyone", appeal="love-always-wins").status_code == 422
    made = organizer.post(page, kind="unshared", appeal="love-always-wins")
    assert made.location == "/blasts/love-always-wins-unshared/check"
    told = "only who watched “love-always-wins” and did not share it"
    assert told in organizer.get(made.location).text
    edit = made.location.replace("check", "edit")
    assert told in organizer.get(edit).text
    assert organizer.post(edit, **{f"list-{sent.list_id}": "in", "default_language": "en"}).status_code == 303
    with database.write() as session:
        draft = session.scalars(select(Blast).where(Blast.slug == "love-always-wins-unshared")).one()
        assert draft.narrowing == {"follows": sent.blast_id, "follow_up": "unshared"}, "the form does not undo it"


def test_paper_is_never_dark() -> None:
    for sheet in STATIC.glob("*.css"):
        assert "@media (prefers-color-scheme: dark)" not in sheet.read_text(), f"{sheet.name}: say “screen and”"


def test_what_a_mode_does_not_count_is_said_and_is_not_nought(signed_in: SignIn, sent: World) -> None:
    with sent.installation.database.write() as session:
        session.get_one(Blast, sent.blast_id).frozen_tracking = "sums"
        session.add_all(Event(kind=EventKind.CLICK, blast_id=sent.blast_id, language="es") for _ in range(7))
    browser = signed_in(Role.ORGANIZER)
    page = browser.get(RESULTS).text
    assert "not counted in this mode" in page
    assert "Clicks, not people" in page
    for view in ("time", "shares", "links"):
        assert "was not counted by member" in browser.get(f"{RESULTS}/{view}").text, view
    assert "Nobody came by a share yet" not in browser.get(f"{RESULTS}/shares").text
    lines = {row["language"]: row for row in csv.DictReader(StringIO(browser.get(f"{RESULTS}.csv").text))}
    assert (lines["es"]["clicks"], lines["es"]["watchers"], lines["es"]["clickers"]) == ("7", "", "")
