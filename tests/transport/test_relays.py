"""The configured relays: read from a file or the settings, and refused with the place of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilizer.settings import Settings, per_second
from mobilizer.transport.relays import RelaysError, load_relays

TWO = """
[[relay]]
name = "main"
host = "smtp.example.org"
port = 587
user = "appeals"
password_file = "smtp.secret"
weight = 3
connections = 40
messages_per_connection = 500
rate = "100/s"
provider_rates = { gmail = "20/s" }

[[relay]]
name = "spare"
host = "192.0.2.7"
tls = "tls"
helo = "mail.example.org"

[[provider]]
name = "gmail"
rate = "1200/m"

[[provider]]
name = "postbox"
domains = ["postbox.example"]
mx = ["mx.postbox.example"]
"""


def written(home: Path, text: str) -> Settings:
    (home / "relays.toml").write_text(text, encoding="utf-8")
    return Settings(home=home, helo_name="appeals.example.org")


def test_without_a_file_there_is_one_relay_of_the_settings(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, smtp_host="mx", smtp_port=2525, smtp_rate="90/m", smtp_messages_per_connection=7)
    [route] = load_relays(settings).routes
    assert (route.name, route.relay.host, route.relay.port, route.connections) == ("main", "mx", 2525, 20)
    assert (route.rate, route.messages_per_connection) == (1.5, 7)
    assert load_relays(settings).limits() == {"relay:main": 1.5}


def test_a_file_says_it_all(tmp_path: Path) -> None:
    (tmp_path / "smtp.secret").write_text("s3cret\n")
    relays = load_relays(written(tmp_path, TWO))
    main, spare = relays.routes
    assert (main.relay.password, main.relay.helo, main.relay.tls) == ("s3cret", "appeals.example.org", "starttls")
    assert (main.weight, main.connections, main.messages_per_connection) == (3, 40, 500)
    assert (spare.relay.host, spare.relay.port, spare.relay.helo) == ("192.0.2.7", 25, "mail.example.org")
    assert relays.limits() == {"relay:main": 100, "relay:main/provider:gmail": 20, "provider:gmail": 20}
    assert relays.providers[1].domains == ("postbox.example",)
    assert "s3cret" not in repr(relays)


def test_providers_may_stand_alone(tmp_path: Path) -> None:
    relays = load_relays(written(tmp_path, '[[provider]]\nname = "gmail"\nrate = "10/s"\n'))
    assert [route.name for route in relays.routes] == ["main"]
    assert relays.limits() == {"provider:gmail": 10}


GOOD = '[[relay]]\nname = "a"\nhost = "h"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[relay]\n", "line 1"),
        ("colour = 1\n", "line 1, colour: there is no such key"),
        ('relay = "a"\n', "line 1, relay: write it as a list"),
        ('[[relay]]\nname = "a"\n', "line 1, relay “a”, host: is missing"),
        (GOOD + 'speed = "1/s"\n', "line 4, relay “a”, speed: there is no such key"),
        (GOOD + 'rate = "fast"\n', "line 4, relay “a”, rate: write a number above 0"),
        (GOOD + 'rate = "0/s"\n', "line 4, relay “a”, rate: write a number above 0"),
        (GOOD + "port = 70000\n", "line 4, relay “a”, port:"),
        (GOOD + 'port = "25"\n', "line 4, relay “a”, port:"),
        (GOOD + "weight = 0\n", "line 4, relay “a”, weight:"),
        (GOOD + 'tls = "maybe"\n', "line 4, relay “a”, tls:"),
        (GOOD + 'helo = "two words"\n', "line 4, relay “a”, helo: can't be written like this"),
        (GOOD + 'user = "u"\npassword = "a\\u0000b"\n', "line 5, relay “a”, password: it can't contain a NUL"),
        (GOOD + 'user = "u"\npassword = "p"\npassword_file = "f"\n', "line 1, relay “a” has both password and"),
        (GOOD + 'password = "p"\n', "line 1, relay “a” has a password but no user"),
        (GOOD + 'user = "u"\npassword_file = "none"\n', "relay “a”: password_file none can't be read: No such file"),
        (GOOD + "\n" + GOOD, "line 6, relay “a”: there are two of this name"),
        (GOOD + '[relay.provider_rates]\ngmail = "5/x"\n', "line 4, relay “a”, provider_rates.gmail: write a number"),
        (GOOD + '[[provider]]\nname = "Gmail"\n', "line 5, provider “Gmail”, name: can't be written like this"),
        (GOOD + '[[provider]]\nname = "g"\ndomains = ["a@b.c"]\n', "line 6, provider “g”, domains.0:"),
        ("relay = [1]\n", "line 1, relay 1 is not a table"),
        ("[[provider]]\nrate = 5\n", "line 1, provider 1, name: is missing\nline 2, provider 1, rate: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(RelaysError) as refused:
        load_relays(written(tmp_path, text))
    assert str(refused.value).startswith("relays.toml: ")
    assert says in str(refused.value)
    assert "a\0b" not in str(refused.value)


def test_a_file_with_a_password_that_others_may_read_is_named(tmp_path: Path) -> None:
    secret = tmp_path / "smtp.secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o640)
    settings = written(tmp_path, TWO)
    (tmp_path / "relays.toml").chmod(0o644)
    assert load_relays(settings).exposed() == [secret]
    secret.chmod(0o600)
    assert load_relays(settings).exposed() == []


@pytest.mark.parametrize(
    ("text", "rate"), [("", 0), ("100/s", 100), ("10/m", 1 / 6), ("3600/h", 1), ("0.5/s", 0.5), ("86400/d", 1)]
)
def test_a_rate_is_a_number_and_a_time(text: str, rate: float) -> None:
    assert per_second(text) == pytest.approx(rate)


@pytest.mark.parametrize("text", ["100", "/s", "-1/s", "0/m", "1e9/s", "1/w", "1 / s", "nan/s", "١/s", "1/s "])
def test_what_is_no_rate_is_refused_by_file_and_settings_alike(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError):
        per_second(text)
    with pytest.raises(ValueError):
        Settings(home=tmp_path, smtp_rate=text)


@pytest.mark.parametrize(
    "setting",
    [{"helo_name": "two words"}, {"helo_name": "a\r\nb"}, {"smtp_password": "a\0b"}, {"smtp_user": "a\0b"},
     {"smtp_host": "a b"}, {"smtp_host": ""}, {"smtp_host": "user@host"}],
)  # fmt: skip
def test_a_setting_of_the_relay_that_can_not_work_is_refused_at_once(setting: dict[str, str]) -> None:
    with pytest.raises(ValueError) as refused:
        Settings(**setting)  # type: ignore[arg-type]
    assert next(iter(setting)) in str(refused.value)
    assert "a\0b" not in str(refused.value)
