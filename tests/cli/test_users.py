"""Face: the first administrator comes in from the command line."""

from __future__ import annotations

from click.testing import CliRunner

from mobilizer.cli import main
from mobilizer.installation import Installation
from mobilizer.keys import load_keyring
from mobilizer.organizers.accounts import verify
from tests.house.test_private import traces

PASSWORD = "a long enough password"


def run(installation: Installation, password: str, *arguments: str) -> tuple[int, str]:
    """What `mobilizer users add` answers, its password typed twice."""
    settings = installation.settings
    environment = {"MOBILIZER_HOME": str(settings.home), "DATABASE_URL": settings.database_url}
    typed = f"{password}\n{password}\n"
    result = CliRunner().invoke(main, ["users", "add", *arguments], input=typed, env=environment)
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
