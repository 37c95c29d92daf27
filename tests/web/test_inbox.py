"""The page of the built-in inbox: what arrived can be looked at, safely, where it is switched on."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mobilizer.app import create_app
from mobilizer.settings import Settings
from mobilizer.transport.kept import FILE, Arrived, Inbox, keep, opened


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Path) -> str:
    """The inbox has no part in the database: one kind is enough."""
    copy = tmp_path / "mobilizer.sqlite3"
    copy.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{copy}"


@pytest.fixture
def app(settings: Settings) -> Flask:
    return create_app(settings.model_copy(update={"inbox": True, "loopback_only": True}), counter="memory://")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def mail(language: str = "ar", subject: str = "الحب ينتصر دائماً") -> bytes:
    message = EmailMessage()
    message["Subject"] = subject
    message.set_content("text <script>alert(1)</script>")
    message.add_alternative(
        "<html><head><title>x</title></head><body><script>alert(1)</script><a href=/c/t/1>play</a>", "html"
    )
    message["Content-Language"] = language
    message.set_boundary("=-=")
    return message.as_bytes().replace(b"\n", b"\r\n")


def arrive(home: Path, count: int = 1, language: str = "ar", subject: str = "الحب ينتصر دائماً") -> None:
    raw, now = mail(language, subject), datetime.now(UTC)
    with opened(home / FILE) as connection:
        keep(
            connection,
            [
                Arrived(0, now, f"m{n}.{language}@example.org", "b+x@example.org", subject, language, len(raw), raw)
                for n in range(count)
            ],
        )


def test_an_empty_inbox_says_what_to_do(client: FlaskClient) -> None:
    page = client.get("/inbox")
    assert page.status_code == 200
    assert "Nothing has arrived yet" in page.text


def test_mails_are_listed_by_language_page_by_page(client: FlaskClient, tmp_path: Path) -> None:
    arrive(tmp_path, 60, "es", "Hola")
    arrive(tmp_path, 3)
    first = client.get("/inbox").text
    assert "63 mails arrived" in first
    assert first.count('class="mail"') == 50
    assert first.index("m2.ar@example.org") < first.index("m59.es@example.org")
    assert 'lang="ar" dir="auto">الحب ينتصر دائماً' in first
    on = re.search(r'href="(/inbox\?before=\d+)" rel="next"', first)
    assert on
    second = client.get(on[1]).text
    assert second.count('class="mail"') == 13
    assert "data-live" in first
    assert "data-live" not in second
    assert client.get("/inbox?language=ar").text.count('class="mail"') == 3
    assert "There is none in this language" in client.get("/inbox?language=xx").text


def test_a_recipient_is_found_without_an_address_in_the_url(client: FlaskClient, tmp_path: Path) -> None:
    arrive(tmp_path, 12, "es")
    client.application.config["WTF_CSRF_ENABLED"] = False
    found = client.post("/inbox/search", data={"recipient": " M1"}).text
    assert "3 mails found" in found
    assert "m10.es@example.org" in found
    assert "0 mails found" in client.post("/inbox/search", data={"recipient": "<b>nobody"}).text
    assert "@" not in re.sub(r">[^<]*<", "><", client.get("/inbox").text.split("<body>")[1])


def test_each_view_of_a_mail_shows_its_part_and_runs_nothing(client: FlaskClient, tmp_path: Path) -> None:
    arrive(tmp_path)
    number = Inbox(tmp_path).messages()[0].id
    for view in ("html", "text", "headers", "source", "nonsense"):
        for width in ("desktop", "phone", "nonsense"):
            page = client.get(f"/inbox/{number}?view={view}&width={width}")
            assert page.status_code == 200
            assert "<script>alert" not in page.text
    assert "text &lt;script&gt;" in client.get(f"/inbox/{number}?view=text").text
    assert "<bdi>Content-Language</bdi>" in client.get(f"/inbox/{number}?view=headers").text
    assert "inbox-frame phone dark" in client.get(f"/inbox/{number}?width=phone&colours=dark").text


def test_the_frame_is_locked_and_its_links_open_outside(client: FlaskClient, tmp_path: Path) -> None:
    arrive(tmp_path)
    frame = client.get(f"/inbox/{Inbox(tmp_path).messages()[0].id}/frame")
    policy = frame.headers["Content-Security-Policy"]
    assert "default-src 'none'; img-src 'self' data: http://mobilizer.test; style-src 'unsafe-inline'" in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "script-src" not in policy
    assert '<head><base target="_blank">' in frame.text


def test_the_download_is_the_mail_byte_by_byte(client: FlaskClient, tmp_path: Path) -> None:
    arrive(tmp_path)
    answer = client.get(f"/inbox/{Inbox(tmp_path).messages()[0].id}.eml")
    assert answer.data == mail()
    assert answer.mimetype == "message/rfc822"
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("path", ["/inbox/1", "/inbox/1/frame", "/inbox/1.eml", f"/inbox/{10**30}"])
def test_a_mail_that_is_not_there_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/inbox", "/inbox/1", "/inbox/1/frame", "/inbox/1.eml"])
def test_without_the_switch_there_is_no_inbox(settings: Settings, path: str) -> None:
    client = create_app(settings, counter="memory://").test_client()
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/inbox", "/inbox/1", "/inbox/1/frame", "/inbox/1.eml"])
def test_where_real_mail_could_be_sent_it_is_not_open_to_all(settings: Settings, tmp_path: Path, path: str) -> None:
    arrive(tmp_path)
    client = create_app(settings.model_copy(update={"inbox": True}), counter="memory://").test_client()
    assert client.get(path).status_code == 403
