"""Second factors: codes of an app and recovery codes, each good once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from mobilizer.installation import Installation
from mobilizer.organizers import factors
from mobilizer.organizers.policy import Role
from mobilizer.organizers.sessions import begin_session, signed_in
from mobilizer.organizers.users import User
from tests.web.conftest import make_user

NOW = datetime(2026, 11, 23, 12, 0, 10, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = timedelta(seconds=factors.STEP_SECONDS)


def code_at(moment: datetime) -> str:
    return pyotp.TOTP(SECRET).at(moment)


def begin(installation: Installation, code: str, secret: str = SECRET) -> tuple[int, list[str]]:
    user_id = make_user(installation, Role.ADMIN)
    with installation.database.write() as session:
        user = session.get_one(User, user_id)
        return user_id, factors.begin_factor(session, installation.keyring, user, secret, code, NOW)


def shown(installation: Installation, user_id: int, code: str, at: datetime) -> bool:
    with installation.database.write() as session:
        return factors.is_factor(session, installation.keyring, session.get_one(User, user_id), code, at)


def test_a_code_is_good_about_its_time_and_never_twice(installation: Installation) -> None:
    user_id, _codes = begin(installation, code_at(NOW))
    later = NOW + 3 * STEP
    assert not shown(installation, user_id, code_at(NOW), NOW)  # it began the factor
    assert not shown(installation, user_id, code_at(NOW), later)
    assert not shown(installation, user_id, "", later)
    spaced = f"{code_at(later)[:3]} {code_at(later)[3:]}"
    assert shown(installation, user_id, spaced, later)
    assert not shown(installation, user_id, spaced, later)
    assert not shown(installation, user_id, code_at(later - STEP), later)  # older than the last one
    assert shown(installation, user_id, code_at(later + STEP), later)  # a phone whose clock is ahead
    assert not shown(installation, user_id, code_at(later + 3 * STEP), later)


def test_a_recovery_code_is_good_once_and_only_for_its_owner(installation: Installation) -> None:
    user_id, codes = begin(installation, code_at(NOW))
    assert len(set(codes)) == factors.RECOVERY_CODES
    other = make_user(installation, Role.VIEWER, totp=installation.keyring.seal(SECRET, b"totp 2"))
    assert not shown(installation, other, codes[0], NOW)
    assert shown(installation, user_id, codes[0].upper().replace(" ", ""), NOW)
    assert not shown(installation, user_id, codes[0], NOW)
    with installation.database.write() as session:
        assert factors.codes_left(session, user_id) == factors.RECOVERY_CODES - 1
        fresh = factors.renew_codes(session, installation.keyring, session.get_one(User, user_id))
    assert not shown(installation, user_id, codes[1], NOW)
    assert shown(installation, user_id, fresh[1], NOW)


@pytest.mark.parametrize(("code", "secret"), [("000000", SECRET), ("", SECRET), (code_at(NOW), "not base 32")])
def test_a_factor_begins_only_with_the_right_code(installation: Installation, code: str, secret: str) -> None:
    user_id, codes = begin(installation, code, secret)
    assert codes == []
    with installation.database.read() as session:
        assert session.get_one(User, user_id).totp is None


def test_the_secret_lies_sealed_and_a_change_ends_every_session(installation: Installation) -> None:
    user_id, _codes = begin(installation, code_at(NOW))
    with installation.database.write() as session:
        user = session.get_one(User, user_id)
        assert user.totp is not None
        assert SECRET.encode() not in user.totp
        token = begin_session(session, user_id, 1)
    with installation.database.write() as session:
        assert signed_in(session, token) is not None
        factors.end_factor(session, session.get_one(User, user_id))
        assert signed_in(session, token) is None
        assert factors.codes_left(session, user_id) == 0


def test_a_role_that_needs_a_factor_owes_one_until_it_is_there(installation: Installation) -> None:
    user_id = make_user(installation, Role.ADMIN)
    with installation.database.write() as session:
        token = begin_session(session, user_id, 1)
        factors.need_one(session, [Role.ADMIN])
    with installation.database.read() as session:
        found = signed_in(session, token)
        assert found is not None
        assert found.owes_factor
        assert found.proved


def test_the_picture_is_plain_svg(installation: Installation) -> None:
    drawn = factors.picture(factors.address_of(SECRET, "ada@example.org", "Love Always Wins"))
    assert drawn.startswith("<svg")
    assert "style" not in drawn
