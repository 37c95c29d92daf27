"""The first run: on an empty installation, whoever knows the code becomes the first administrator."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner
from flask import Flask

from mobilizer.cli import main
from mobilizer.installation import CHOSEN, Installation, follow_settings
from mobilizer.keys import load_keyring
from mobilizer.organizers import passwords
from mobilizer.organizers.accounts import accounts
from mobilizer.organizers.first_run import code_of
from mobilizer.organizers.policy import Role
from mobilizer.settings import SETTINGS_FILE, load_settings
from tests.one_database import database_url  # noqa: F401 - who comes first does not depend on it
from tests.transport.scripted_relay import ScriptedRelay
from tests.web.conftest import FORM_TOKEN, Browser, make_user

NAME = 'Amor "Siempre" \\ Vence'
PERSON = {
    "name": "Ada",
    "email": "ada@example.org",
    "password": "a short sentence is good",
    "organisation": NAME,
    "postal_address": "Rua da Esperança 12, Lisboa",
}


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def code(installation: Installation) -> str:
    return code_of(installation.keyring)


def post(browser: Browser, path: str, **form: str) -> tuple[int, str, str]:
    found = FORM_TOKEN.search(browser.client.get(path).text)
    assert found
    answer = browser.client.post(path, data={"csrf_token": found[1], **form})
    return answer.status_code, answer.headers.get("Location", ""), answer.text


def test_an_empty_installation_leads_to_its_first_run_and_then_never_again(
    app: Flask, anonymous: Browser, installation: Installation, code: str
) -> None:
    assert anonymous.get("/sign-in").location == "/set-up"
    for wrong, said in (({"code": "0000-0000-0000"}, "not the code"), ({"organisation": " "}, "is called")):
        status, _where, page = post(anonymous, "/set-up", **{**PERSON, "code": code, **wrong})
        assert (status, said in page) == (422, True)
    assert post(anonymous, "/set-up", **{**PERSON, "code": code, "password": "short"})[0] == 422
    with installation.database.read() as session:
        assert accounts(session, installation.keyring) == []
    status, where, _page = post(anonymous, "/set-up", **PERSON, code=f" {code.upper()} ")
    assert (status, where) == (303, "/settings/sending?first=1")
    page = anonymous.get(where).text
    assert "Amor &#34;Siempre&#34; \\ Vence" in page
    other = Browser(app.test_client())
    assert other.get("/set-up").location == "/sign-in"
    with installation.database.read() as session:
        assert [one.role for one in accounts(session, installation.keyring)] == ["admin"]


def test_codes_are_guessed_a_few_times_only_from_wherever(app: Flask) -> None:
    said = [post(Browser(app.test_client()), "/set-up", **PERSON, code=f"{n:012x}")[0] for n in range(11)]
    assert said == [422] * 10 + [429]


def test_what_is_chosen_holds_for_every_process(anonymous: Browser, installation: Installation, code: str) -> None:
    post(anonymous, "/set-up", **PERSON, code=code)
    home = installation.settings.home
    (home / SETTINGS_FILE).write_text((home / SETTINGS_FILE).read_text() + "MOBILIZER_BATCH_SIZE=77\n")
    form = {**dict.fromkeys(("sender_name", "reply_to", "smtp_user", "smtp_password"), "")}
    form |= {"organisation": NAME, "postal_address": "Here", "sender_address": "us@example.org"}
    form |= {"smtp_host": "relay.example.org", "smtp_tls": "tls"}
    assert post(anonymous, "/settings/sending?first=1", **form, smtp_port="0")[0] == 422
    assert load_settings(home).smtp_host == "127.0.0.1"
    assert post(anonymous, "/settings/sending?first=1", **form, smtp_port="465")[1] == "/settings/languages"
    kept = load_settings(home)
    assert (kept.organisation, kept.smtp_host, kept.smtp_port, kept.smtp_tls) == (NAME, "relay.example.org", 465, "tls")
    assert kept.batch_size == 77
    assert (home / SETTINGS_FILE).stat().st_mode & 0o077 == 0
    post(anonymous, "/settings/sending", **{**form, "postal_address": ""}, smtp_port="465")
    assert "Before the first mail" in anonymous.get("/").text
    kept = load_settings(home)
    elsewhere = follow_settings(installation).settings
    assert {name: getattr(elsewhere, name) for name in CHOSEN} == {name: getattr(kept, name) for name in CHOSEN}
    assert elsewhere.batch_size == installation.settings.batch_size


def test_a_relay_is_tried_with_a_mail_to_who_tries(
    app: Flask, anonymous: Browser, installation: Installation, code: str, free_port: int
) -> None:
    post(anonymous, "/set-up", **PERSON, code=code)
    form = {"sender_address": "us@example.org", "smtp_host": "127.0.0.1", "smtp_tls": "none", "try": "1"}
    with ScriptedRelay() as relay:
        assert post(anonymous, "/settings/sending", **form, smtp_port=str(relay.port))[0] == 303
    assert "a mail is on its way to ada@example.org" in anonymous.get("/settings/sending").text
    assert b"To: Ada <ada@example.org>" in relay.messages[0]
    post(anonymous, "/settings/sending", **form, smtp_port=str(free_port))
    assert "Saved, but no mail went" in anonymous.get("/settings/sending").text


def test_what_the_environment_sets_is_shown_and_not_kept(
    anonymous: Browser, code: str, monkeypatch: pytest.MonkeyPatch, installation: Installation
) -> None:
    monkeypatch.setenv("MOBILIZER_ORGANISATION", installation.settings.organisation)
    post(anonymous, "/set-up", **PERSON, code=code)
    assert "Set by who runs this installation." in anonymous.get("/settings/sending").text
    assert "ORGANISATION" not in (installation.settings.home / SETTINGS_FILE).read_text()


def test_the_code_is_told_on_the_machine_while_nobody_is_here(installation: Installation) -> None:
    settings = installation.settings
    environment = {"MOBILIZER_HOME": str(settings.home), "DATABASE_URL": settings.database_url}

    def run() -> tuple[int, str]:
        result = CliRunner().invoke(main, ["users", "code"], env=environment)
        return result.exit_code, result.output

    status, said = run()
    assert status == 0
    assert code_of(load_keyring(settings.home)) in said
    make_user(installation, Role.ADMIN)
    assert run()[0] == 1
