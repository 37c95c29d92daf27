"""The mails of notices: sent once, later if the relay is what failed, never more than one an hour about the same."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from mobilizer.db import clock
from mobilizer.delivery.ledger import Delivery
from mobilizer.installation import Installation
from mobilizer.jobs import Work
from mobilizer.languages import INTERFACE_LANGUAGES
from mobilizer.notices import mailing
from mobilizer.notices.notices import NoticeMail
from mobilizer.organizers.users import User
from mobilizer.reconciler import Reconciler
from tests.notices.conftest import Newsroom
from tests.transport.scripted_relay import DROP


def test_a_hold_is_told_by_mail_with_its_reason_and_a_link_and_no_member(newsroom: Newsroom) -> None:
    newsroom.hold()
    newsroom.note()
    assert newsroom.send_due() == 2
    assert newsroom.send_due() == 0
    assert [mail[0] for mail in newsroom.mails()] == ["sent", "sent"]
    mail = newsroom.arrived()[0]
    assert mail["To"] == "Admin Person <admin@example.org>"
    assert mail["Subject"] == "“Love always wins” is held"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_payload(decode=True).decode()
    assert "No connection to the relay mx:25: no" in text
    assert "It tries again by itself on" in text
    assert "So far: 0 of 5." in text
    assert "http://mobilizer.test/blasts/love-always-wins\r\n" in text
    assert "http://mobilizer.test/settings/notices" in text
    assert "member0" not in text
    assert "Ana0" not in text


def test_it_goes_through_the_queue_as_one_number(newsroom: Newsroom, redis_url: str) -> None:
    settings = newsroom.installation.settings.model_copy(update={"redis_url": redis_url})
    newsroom.installation = Installation(settings, newsroom.installation.database, newsroom.installation.keyring)
    newsroom.hold()
    newsroom.note()
    reconciler = Reconciler(newsroom.installation)
    numbers = [number for kind, number in reconciler._due(0) if kind is Work.NOTICE]
    assert len(numbers) == 2


@pytest.mark.parametrize("tag", INTERFACE_LANGUAGES)
def test_its_words_are_in_the_readers_language(newsroom: Newsroom, tag: str) -> None:
    with newsroom.installation.database.write() as session:
        session.get_one(User, newsroom.admin).interface_language = tag
    newsroom.hold(retry_seconds=None)
    newsroom.note()
    newsroom.send_due()
    mail = newsroom.arrived()[0]
    assert mail["Content-Language"] == tag
    english = ("has been held since", "Why:", "Look here", "So far", "your choice", "It waits until", "No connection")
    found = [words for words in english if words in str(mail["Subject"]) + mail.get_payload(decode=True).decode()]
    assert found == (list(english) if tag == "en" else [])


def test_mails_in_doubt_are_counted_and_their_page_is_named(newsroom: Newsroom) -> None:
    members = newsroom.world.members
    with newsroom.installation.database.write() as session:
        for member, decided in ((members[0], None), (members[1], None), (members[2], clock(-500))):
            lost = {"state": "uncertain", "settled_at": clock(-600), "decided_at": decided}
            session.execute(update(Delivery).where(Delivery.member_id == member).values(**lost))
    newsroom.note()
    newsroom.send_due()
    text = newsroom.arrived()[0].get_payload(decode=True).decode()
    assert "answers to 2 mails of" in text
    assert "http://mobilizer.test/blasts/love-always-wins/uncertain\r\n" in text


def test_where_the_relay_is_what_failed_the_notice_waits_and_goes_later(newsroom: Newsroom) -> None:
    newsroom.hold()
    newsroom.note()
    newsroom.relay.answers["BANNER"] = b"421 4.3.2 come back later\r\n"
    newsroom.send_due()
    assert newsroom.mails() == [("waiting", 1, "relay")] * 2
    assert newsroom.send_due() == 0, "not at once"
    newsroom.resume()
    newsroom.relay.answers["BANNER"] = b"220 here again\r\n"
    newsroom.later(301)
    newsroom.send_due()
    assert newsroom.mails() == [("sent", 2, "")] * 2
    assert len(newsroom.arrived()) == 2
    assert "It is held no more." in newsroom.arrived()[0].get_payload(decode=True).decode()


def test_where_one_relay_fails_another_takes_it(newsroom: Newsroom, free_port: int) -> None:
    route = '[[relay]]\nname = "{}"\nhost = "127.0.0.1"\nport = {}\ntls = "none"\n'
    text = route.format("first", free_port) + route.format("second", newsroom.relay.port)
    (newsroom.installation.settings.home / "relays.toml").write_text(text)
    newsroom.hold()
    newsroom.note()
    newsroom.send_due()
    assert newsroom.mails() == [("sent", 1, "")] * 2


def test_of_holds_within_an_hour_one_is_mailed_and_the_last_when_the_hour_is_over(newsroom: Newsroom) -> None:
    newsroom.hold()
    newsroom.note()
    newsroom.send_due()
    for _ in range(2):
        newsroom.resume()
        newsroom.hold()
        newsroom.note()
        assert newsroom.send_due() == 0
    assert [mail[0] for mail in newsroom.mails()] == ["sent"] * 2 + ["dropped"] * 2 + ["waiting"] * 2
    newsroom.later(3601)
    assert newsroom.send_due() == 2
    assert len(newsroom.arrived()) == 4


def test_a_mail_whose_answer_was_lost_goes_again_only_after_an_hour(newsroom: Newsroom) -> None:
    newsroom.relay.answers["DOT"] = DROP
    newsroom.hold()
    newsroom.note()
    newsroom.send_due()
    assert newsroom.mails() == [("waiting", 1, "unanswered")] * 2
    newsroom.later(3000)
    assert newsroom.send_due() == 0
    newsroom.resume()
    newsroom.hold()
    newsroom.note()
    assert newsroom.send_due() == 0, "the next notice waits too: the first may have arrived"


def test_a_mail_that_is_refused_for_good_is_recorded_as_failed_without_the_relays_words(newsroom: Newsroom) -> None:
    newsroom.relay.answers["RCPT"] = lambda line: f"550 5.1.1 {line} unknown\r\n".encode()
    newsroom.hold()
    newsroom.note()
    newsroom.send_due()
    assert newsroom.mails() == [("failed", 1, "refused")] * 2


def test_after_two_days_of_tries_it_is_given_up(newsroom: Newsroom) -> None:
    newsroom.relay.answers["RCPT"] = b"450 4.2.0 not now\r\n"
    newsroom.hold()
    newsroom.note()
    with newsroom.installation.database.write() as session:
        session.execute(update(NoticeMail).values(tries=mailing.MOST_TRIES - 1))
    newsroom.send_due()
    assert newsroom.mails() == [("failed", mailing.MOST_TRIES, "later")] * 2


def test_whoever_may_sign_in_no_more_gets_no_mail(newsroom: Newsroom) -> None:
    newsroom.hold()
    newsroom.note()
    with newsroom.installation.database.write() as session:
        session.get_one(User, newsroom.admin).disabled_at = session.scalar(select(clock()))
    newsroom.send_due()
    assert [mail[0] for mail in newsroom.mails()] == ["dropped", "sent"]
    assert len(newsroom.arrived()) == 1


def test_an_installation_that_may_send_nowhere_else_does_not(newsroom: Newsroom) -> None:
    elsewhere = newsroom.installation.settings.model_copy(update={"smtp_host": "192.0.2.1"})
    newsroom.installation = Installation(elsewhere, newsroom.installation.database, newsroom.installation.keyring)
    newsroom.hold()
    newsroom.note()
    newsroom.send_due()
    assert newsroom.mails() == [("waiting", 1, "relay")] * 2


def test_two_workers_with_one_mail_send_it_once(newsroom: Newsroom) -> None:
    newsroom.hold()
    newsroom.note()
    with newsroom.installation.database.read() as session:
        first, second = mailing.due(session, 10)
    for mail in (first, first, second, first):
        mailing.send(newsroom.installation, mail)
    assert len(newsroom.arrived()) == 2
