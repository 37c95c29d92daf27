"""Face: a blast from the command line. What it says, what it changes, and how it ends."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, update

from mobilizer.appeals.appeals import Translation
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.departure import Departure
from mobilizer.cli import main
from mobilizer.db import clock
from mobilizer.delivery.ledger import Batch, DeliveryState
from mobilizer.delivery.limits import pace_of
from mobilizer.delivery.sender_domain import look
from mobilizer.organizers.audit import AuditEntry
from mobilizer.segments.checking import checked
from mobilizer.transport.relays import RELAYS_FILE, load_relays
from tests.delivery.test_waves import leave
from tests.web.appeal_stage import make_ready, settle
from tests.worlds import World, _translation

SLUG = "love-always-wins"


def run(world: World, *arguments: str, typed: str | None = None, **more: str) -> Result:
    settings = world.installation.settings
    environment = {
        "MOBILIZER_HOME": str(settings.home),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        **more,
    }
    return CliRunner().invoke(main, ["blasts", *arguments], input=typed, env=environment)


def log(world: World) -> list[tuple[str, dict[str, object]]]:
    with world.installation.database.read() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert {entry.user_id for entry in entries} <= {None}
        return [(entry.action, entry.detail) for entry in entries]


@pytest.fixture
def launched(world: World) -> World:
    """One accepted, one refused, one deferred, two uncertain."""
    world.launch()
    first, second, third, *others = world.members
    settle(world, first, DeliveryState.ACCEPTED, provider="gmail")
    settle(world, second, DeliveryState.REJECTED, reason="full", code=552, reply="5.2.2 full, zq7@example.org")
    settle(world, third, DeliveryState.PENDING, reason="rate", code=421, reply="4.7.28 slow", next_at=clock(300))
    for member in others:
        settle(world, member, DeliveryState.UNCERTAIN, reason="worker_lost", settled_at=clock())
    return world


def test_the_check_list_is_the_one_of_the_page_and_red_ends_with_one(world: World) -> None:
    with world.installation.database.read() as session:
        page = checked(session, world.installation, session.get_one(Blast, world.blast_id), datetime.now(UTC).date())
    said = run(world, "check", SLUG, "--json")
    lines = [json.loads(line) for line in said.output.splitlines()]
    assert sorted(line["code"] for line in lines) == sorted(line.problem.code for line in page.lines)
    assert {"workers.none", "audience.not_lately"} <= {line["code"] for line in lines}
    assert said.exit_code == (0 if page.ready else 1)
    shown = run(world, "check", SLUG)
    assert f"It goes to {page.people} people." in shown.output
    assert shown.exit_code == said.exit_code


def test_the_check_list_says_what_to_publish_to_the_letter(world: World) -> None:
    sender = "us@act.church"
    settings = world.installation.settings.model_copy(update={"sender_address": sender})
    look(dataclasses.replace(world.installation, settings=settings), ask=lambda _name: [])
    elsewhere = {"MOBILIZER_BASE_URL": settings.base_url, "MOBILIZER_SMTP_HOST": settings.smtp_host}
    said = run(world, "check", SLUG, MOBILIZER_SENDER_ADDRESS=sender, **elsewhere)
    assert "Publish a TXT record at _dmarc.act.church: v=DMARC1; p=none" in said.output


def test_held_waves_are_let_go_by_their_number(world: World) -> None:
    leave(world, departure=Departure(people=2).written)
    world.launch()
    [wave] = json.loads(run(world, "status", SLUG, "--json").output)["held"]
    assert (wave["kind"], wave["people"]) == ("rest", 3)
    assert f"Wave {wave['wave']}: 3 people are held until somebody says so." in run(world, "status", SLUG).output
    assert run(world, "release", SLUG, "9").exit_code == 2
    assert "waits for no language" in run(world, "fall-back", SLUG, str(wave["wave"])).output
    assert run(world, "release", SLUG, str(wave["wave"])).output == "3 people are held no longer.\n"
    assert run(world, "release", SLUG, str(wave["wave"])).exit_code == 2
    assert [entry for entry in log(world) if entry[0] == "blast.release"] == [
        ("blast.release", {"by": "command line", "wave": wave["wave"]})
    ]


def test_a_late_language_is_let_go_when_it_is_approved_or_falls_back(world: World) -> None:
    world.join(["ar", "ar"])
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        blast.waits = ["ar"]
        blast.appeal.translations.append(_translation("ar", "الحب ينتصر", "", "", ""))
    world.launch()
    refused = run(world, "release", SLUG, "1")
    assert (refused.exit_code, "ar is not approved yet" in refused.output) == (1, True)
    assert run(world, "fall-back", SLUG, "1").output == "2 people are held no longer.\n"
    assert {world.delivery(one).language for one in world.members[-2:]} == {"en"}


def test_status_says_the_same_to_people_and_to_programs(launched: World) -> None:
    said = run(launched, "status", SLUG)
    assert said.exit_code == 0, said.output
    assert "deferred/rate/421/4.7.28/" in said.output
    assert "2 uncertain" in said.output
    now = json.loads(run(launched, "status", SLUG, "--json").output)
    assert (now["people"], now["accepted"], now["rejected"], now["uncertain"], now["waiting"]) == (5, 1, 1, 2, 1)
    assert now["undecided"] == 2
    assert now["mailboxes"]["gmail"]["accepted"] == 1
    assert [cause["cause"] for cause in now["causes"]["rejected"]] == ["rejected/full/552/5.2.2/"]
    assert "@" not in json.dumps(now), "a reply may quote an address"


def test_status_is_watched_until_it_is_final(launched: World) -> None:
    for member in launched.members:
        settle(launched, member, DeliveryState.ACCEPTED)
    with launched.installation.database.write() as session:
        session.execute(update(Blast).values(state="sent"))
        session.execute(update(Batch).values(state="done"))
    for more in ((), ("--json",)):
        said = run(launched, "status", SLUG, "--watch", *more)
        assert said.exit_code == 0, said.output
        assert "sent" in said.output


def test_before_launch_status_says_to_how_many_it_would_go(world: World) -> None:
    assert "It would go to 5 people." in run(world, "status", SLUG).output


def test_pause_resume_and_cancel_are_told_and_audited(launched: World) -> None:
    assert run(launched, "pause", SLUG).output == "Paused.\n"
    again = run(launched, "pause", SLUG)
    assert (again.exit_code, again.output) == (1, "Error: Nothing done: the blast is paused.\n")
    assert run(launched, "resume", SLUG).exit_code == 0
    refused = run(launched, "cancel", SLUG, typed="n\n")
    assert refused.exit_code == 1
    assert "1 people have not been mailed and never will be; 1 mails were accepted." in refused.output
    assert launched.blast().state == "sending"
    assert run(launched, "cancel", SLUG, "--yes").output == "Cancelled.\n"
    by = {"by": "command line"}
    assert log(launched) == [("blast.pause", by), ("blast.resume", by), ("blast.cancel", by)]


def test_a_cause_is_tried_again_or_only_counted(launched: World) -> None:
    dry = run(launched, "retry", SLUG, "--cause", "rejected/full", "--dry-run")
    assert "It would be 1 mails." in dry.output
    assert log(launched) == []
    assert run(launched, "retry", SLUG).output == "1 mails are tried again now.\n"
    assert launched.delivery(launched.members[2]).next_at is None
    assert run(launched, "retry", SLUG, "--cause", "rejected/full/552").exit_code == 0
    assert launched.delivery(launched.members[1]).state == "pending"
    nothing = run(launched, "retry", SLUG, "--cause", "rejected")
    assert nothing.exit_code == 1
    assert "no mail of this cause" in nothing.output
    assert [detail["cause"] for _, detail in log(launched)] == ["deferred", "rejected/full/552"]


def test_in_a_pause_what_is_put_back_is_said_to_wait_for_its_end(launched: World) -> None:
    assert run(launched, "pause", SLUG).exit_code == 0
    assert run(launched, "retry", SLUG).output == "1 mails are tried again when the blast goes on.\n"
    assert run(launched, "resend", SLUG, "--all", "--yes").output == "2 mails are sent again when the blast goes on.\n"


def test_status_tells_the_limits_that_mail_waits_for(launched: World, redis_url: str) -> None:
    settings = launched.installation.settings.model_copy(update={"redis_url": redis_url})
    launched.installation = dataclasses.replace(launched.installation, settings=settings)
    (settings.home / RELAYS_FILE).write_text('[[provider]]\nname = "gmail"\nrate = "1/m"\n')
    pace_of(settings, load_relays(settings)).slower("provider:yahoo", "421 4.7.0")
    said = json.loads(run(launched, "status", SLUG, "--json").output)
    assert [(one["name"], one["slowed"]) for one in said["limits"]] == [
        ("provider:gmail", False),
        ("provider:yahoo", True),
    ]
    assert "provider:gmail is limited to 1 a minute." in run(launched, "status", SLUG).output


def test_uncertain_mails_are_listed_left_and_sent_again(launched: World) -> None:
    said = run(launched, "uncertain", SLUG, "--json")
    assert said.exit_code == 0, said.exception
    lines = [json.loads(line) for line in said.output.splitlines()]
    assert [line["reason"] for line in lines] == ["worker_lost"] * 2
    assert lines[0]["message_id"].startswith("<")
    assert "name" not in lines[0]
    assert "2 wait for a decision" in run(launched, "uncertain", SLUG).output
    assert run(launched, "leave", SLUG, "--mail", str(lines[0]["id"])).output == "1 mails are left as they are.\n"
    asked = run(launched, "resend", SLUG, "--all", typed="n\n")
    assert asked.exit_code == 1
    assert "gets it twice. Send 1 mails again?" in asked.output
    assert run(launched, "resend", SLUG, "--reason", "worker_lost", "--yes").output == "1 mails are sent again.\n"
    assert launched.states() == {"accepted": 1, "pending": 2, "rejected": 1, "uncertain": 1}
    nothing = run(launched, "resend", SLUG, "--all", "--yes")
    assert nothing.exit_code == 1
    assert "no such mail waits for a decision" in nothing.output
    assert [(action, detail["count"]) for action, detail in log(launched)] == [("blast.leave", 1), ("blast.resend", 1)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "none"),
        ("pause", "none"),
        ("retry", SLUG, "--cause", "refused"),
        ("retry", SLUG, "--cause", "deferred/rate/x"),
        ("leave", SLUG),
        ("resend", SLUG, "--all", "--reason", "worker_lost"),
        ("leave", SLUG, "--mail", "0"),
    ],
)
def test_a_command_that_is_wrongly_used_changes_nothing_and_ends_with_2(
    launched: World, arguments: tuple[str, ...]
) -> None:
    before = launched.states()
    assert run(launched, *arguments).exit_code == 2
    assert (launched.states(), log(launched)) == (before, [])


def test_variants_are_shown_and_chosen(world: World) -> None:
    world.join(["en"] * 17)
    with world.installation.database.write() as session:
        session.execute(update(Translation).where(Translation.language == "en").values(subject_b="Look"))
        session.execute(update(Blast).values(departure=Departure(sample=4, goal="clicks").written))
    world.launch()
    (trial,) = json.loads(run(world, "status", SLUG, "--json").output)["trials"]
    assert (trial["language"], trial["rest"], trial["winner"], trial["leads"]) == ("en", 12, "", "")
    assert {variant: counts["people"] for variant, counts in trial["tried"].items()} == {"a": 4, "b": 4}
    assert "none is chosen yet" in run(world, "status", SLUG).output
    assert run(world, "release", SLUG, "1").exit_code == 2
    assert run(world, "release", SLUG, "1", "--variant", "d").exit_code == 1
    said = run(world, "release", SLUG, "1", "--variant", "b")
    assert said.output.startswith("12 people are held no longer.\nThe numbers don't carry the choice")
    assert [action for action, _detail in log(world)] == ["blast.choose_variant"]
    assert run(world, "release", SLUG, "1", "--variant", "a").exit_code == 2, "nobody is held"
    assert "B was chosen" in run(world, "status", SLUG).output


def test_a_launch_tries_variants_where_there_are_some_and_people_enough(world: World) -> None:
    world.join(["en"] * 40)
    make_ready(world)
    with world.installation.database.read() as session:
        found = checked(session, world.installation, session.scalars(select(Blast)).one(), datetime.now(UTC).date())
    english = found.gets["en"]

    def asked(sample: int) -> Result:
        more = ("--people", str(found.people), "--hold", "9", "--best-by", "shares", "--after", "4")
        return run(world, "launch", SLUG, *more, "--try", str(sample), MOBILIZER_POSTAL_ADDRESS="1 Hope Street")

    assert "no language of it has two variants" in asked(10).output
    with world.installation.database.write() as session:
        session.execute(update(Translation).where(Translation.language == "en").values(subject_b="Look"))
    assert f"on {english // 4} people at most" in asked(english // 4 + 1).output
    ended = run(
        world, "launch", SLUG, "--people", str(found.people), "--after", "4", MOBILIZER_POSTAL_ADDRESS="1 Hope St"
    )
    assert ended.exit_code == 2, "it would go to everyone at once, and not after four hours"
    assert asked(10).exit_code == 0
    with world.installation.database.read() as session:
        departure = session.scalars(select(Blast.departure)).one()
    assert departure == Departure(sample=10, goal="shares", after_hours=4).written
