"""The built-in inbox: what is sent to it over SMTP is there, whole, once."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from mobilizer.transport.inbox import Inbox, Sink, serve
from mobilizer.transport.outcomes import Accepted, Ready
from mobilizer.transport.smtp import Connection, Relay


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with serve(tmp_path) as sink:
        yield sink


def connect(sink: Sink) -> Connection:
    return Connection.open(Relay(sink.host, sink.port, tls="none", helo="test", loopback_only=True))


def send(connection: Connection, recipient: str, content: bytes) -> None:
    connection.offer("b+token@example.org", recipient)
    assert isinstance(connection.answer(), Ready)
    connection.hand(content)
    assert isinstance(connection.reply(), Accepted)


def mail(language: str = "es", subject: str = "El amor siempre gana ❤") -> bytes:
    message = EmailMessage()
    message["Subject"] = subject
    message.set_content("Hola\n.\n..\n")
    message["Content-Language"] = language
    return message.as_bytes().replace(b"\n", b"\r\n")


def test_a_message_is_kept_byte_by_byte(sink: Sink, tmp_path: Path) -> None:
    connection = connect(sink)
    send(connection, "ana@example.org", mail())
    connection.close()
    [listed] = Inbox(tmp_path).messages()
    assert (listed.recipient, listed.sender) == ("ana@example.org", "b+token@example.org")
    assert (listed.subject, listed.language, listed.size) == ("El amor siempre gana ❤", "es", len(mail()))
    kept = Inbox(tmp_path).get(listed.id)
    assert kept is not None
    assert kept.raw == mail()
    assert Inbox(tmp_path).get(listed.id + 1) is None


def test_an_address_in_any_script_is_taken(sink: Sink, tmp_path: Path) -> None:
    connection = connect(sink)
    send(connection, "анна@пример.рф", mail())
    connection.close()
    assert Inbox(tmp_path).messages(recipient="анна")[0].recipient == "анна@xn--e1afmkfd.xn--p1ai"


@pytest.mark.parametrize(
    ("raw", "language"),
    [
        (b"Content-Language: pt-BR\r\n\r\nx\r\n", "pt-BR"),
        (b"Content-Language: fr, en\r\n\r\nx\r\n", "fr"),
        (b"Content-Type: text/html\r\n\r\n<html dir=rtl lang=ar><p lang=en>\r\n", "ar"),
        (b'Content-Language: <x>\r\nContent-Type: text/html\r\n\r\n<HTML lang="es">\r\n', "es"),
        (b"Subject: =?nonsense?b?x?=\r\n\r\n", ""),
        (b"", ""),
        (b"\xff\xfe\x00 not a mail at all\r\n", ""),
    ],
)
def test_the_language_is_the_one_the_message_names(sink: Sink, tmp_path: Path, raw: bytes, language: str) -> None:
    connection = connect(sink)
    send(connection, "ana@example.org", raw)
    connection.close()
    assert Inbox(tmp_path).messages()[0].language == language


def test_pages_filters_and_counts(sink: Sink, tmp_path: Path) -> None:
    connection, inbox = connect(sink), Inbox(tmp_path)
    for number in range(10):
        send(connection, f"M{number}@example.org", mail("es" if number % 2 else "pt"))
    send(connection, "m1@example.org", mail("es"))
    connection.close()
    first = inbox.messages(limit=4)
    second = inbox.messages(limit=40, before=first[-1].id)
    assert [m.id for m in first + second] == sorted((m.id for m in first + second), reverse=True)
    assert len(first + second) == inbox.count() == 11
    assert {m.language for m in inbox.messages(language="pt")} == {"pt"}
    assert inbox.count(language="es") == 6
    assert inbox.count(recipient="m1@") == 2
    assert inbox.count(recipient="%") == 0
    assert inbox.languages() == [("es", 6), ("pt", 5)]
    who = inbox.by_recipient()
    assert [language for _, language in who["M4@example.org"]] == ["pt"]
    assert len(who) == 11


def test_many_senders_at_once_lose_nothing(sink: Sink, tmp_path: Path) -> None:
    def work(sender: int) -> None:
        connection = connect(sink)
        for number in range(20):
            send(connection, f"m{sender}-{number}@example.org", mail())
        connection.close()

    threads = [threading.Thread(target=work, args=(sender,)) for sender in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: len(got) for name, got in Inbox(tmp_path).by_recipient().items()} == {
        f"m{sender}-{number}@example.org": 1 for sender in range(8) for number in range(20)
    }


def test_kept_mail_outlives_the_sink(tmp_path: Path) -> None:
    for _ in range(2):
        with serve(tmp_path) as sink:
            connection = connect(sink)
            send(connection, "ana@example.org", mail())
        assert not connection.usable
        connection.close()
    assert Inbox(tmp_path).count() == 2


def test_other_clients_are_served_too(sink: Sink, tmp_path: Path) -> None:
    with smtplib.SMTP(sink.host, sink.port, timeout=10) as client:
        client.sendmail("a@example.org", ["b@example.org", "c@example.org"], mail("fr"))
    assert {m.recipient for m in Inbox(tmp_path).messages(language="fr")} == {"b@example.org", "c@example.org"}


def test_an_inbox_that_never_ran_is_empty_and_stays_away(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    assert (inbox.messages(), inbox.count(), inbox.languages(), inbox.by_recipient()) == ([], 0, [], {})
    assert inbox.get(1) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104
def test_the_inbox_listens_on_this_machine_only(tmp_path: Path, host: str) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        serve(tmp_path, host)


def test_a_taken_port_is_said_so(sink: Sink, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        serve(tmp_path, sink.host, sink.port)
