"""Face: the first administrator comes in from the command line."""

from __future__ import annotations

from click.testing import CliRunner

from mobilizer.cli import main
from mobilizer.installation import Installation
from mobilizer.keys import load_keyring
from mobilizer.organizers.accounts import user_of, verify
from mobilizer.organizers.factors import secret_binding
from tests.house.test_private import traces

PASSWORD = "a long enough password"


def run(installation: Installation, password: str, *arguments: str, verb: str = "add") -> tuple[int, str]:
    """What `mobilizer users` answers, its password typed twice."""
    settings = installation.settings
    environment = {"MOBILIZER_HOME": str(settings.home), "DATABASE_URL": settings.database_url}
    typed = f"{password}\n{password}\n"
    result = CliRunner().invoke(main, ["users", verb, *arguments], input=typed, env=environment)
    return result.exit_code, result.output


def test_the_first_administrator_can_sign_in(installation: Installation) -> None:
    code, said = run(installation, PASSWORD, "Zq7xvogel@example.org")
    assert code == 0, said
    with installation.database.read() as session:
        user = verify(session, load_keyring(installation.settings.home), "zq7xvogel@example.org", PASSWORD)
    assert user is not None
    assert user.role == "admin"
    assert PASSWORD not in said
    assert traces(said.encode()) == []


def test_a_bad_address_and_a_short_password_are_told_and_nobody_is_added(installation: Installation) -> None:
    code, said = run(installation, "short", "nobody")
    assert code == 1
    assert "too short" in said
    with installation.database.read() as session:
        assert verify(session, installation.keyring, "nobody", "short") is None


def test_who_is_locked_out_is_let_in_again(installation: Installation) -> None:
    run(installation, PASSWORD, "ada@example.org")
    keyring, other = load_keyring(installation.settings.home), "another good password"
    with installation.database.write() as session:
        user = user_of(session, keyring, "ada@example.org")
        assert user is not None
        user.totp = keyring.seal("secret", secret_binding(user.id))
    assert run(installation, "short", "ada@example.org", verb="reset")[0] == 1
    assert run(installation, other, "eve@example.org", verb="reset")[0] == 1
    assert run(installation, other, "ada@example.org", verb="reset")[0] == 0
    with installation.database.read() as session:
        user = verify(session, keyring, "ada@example.org", other)
        assert user is not None
        assert user.totp is None
