"""Organizers: making and changing users. Whatever takes a right away ends the user's sessions at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.db import clock
from mobilizer.keys import Keyring
from mobilizer.organizers.passwords import hash_password, is_password, problems_of
from mobilizer.organizers.policy import Role
from mobilizer.organizers.users import User, end_sessions
from mobilizer.problems import N_, Problem


@dataclass(frozen=True, slots=True)
class Account:
    """A user in clear words. `languages` are what a translator may write, BCP 47 tags."""

    id: int
    email: str
    name: str
    role: str
    languages: tuple[str, ...]
    interface_language: str
    disabled_at: datetime | None
    has_factor: bool = False


def account(keyring: Keyring, user: User) -> Account:
    """The account of a user row. Raises keys.BadSeal."""
    email, _, name = keyring.open(user.sealed, bound_to=user.address_key).partition("\0")
    return Account(
        id=user.id,
        email=email,
        name=name,
        role=user.role,
        languages=tuple(user.languages.split()),
        interface_language=user.interface_language,
        disabled_at=user.disabled_at,
        has_factor=user.totp is not None,
    )


def accounts(session: Session, keyring: Keyring) -> list[Account]:
    """Everyone who may sign in or once might, oldest first."""
    return [account(keyring, user) for user in session.scalars(select(User).order_by(User.id))]


def address_key(keyring: Keyring, email: str) -> bytes:
    """What finds a user's row: the blind index of the address, small letters, no spaces around."""
    return keyring.address_key(email.strip().lower())


def create_user(
    session: Session,
    keyring: Keyring,
    *,
    email: str,
    name: str,
    role: Role,
    password: str,
    languages: Sequence[str] = (),
    interface_language: str = "en",
) -> User | list[Problem]:
    """Add a user, or say why not; nothing is added then."""
    email = email.strip().lower()
    problems = [*address_problems(session, keyring, email), *problems_of(password)]
    if problems:
        return problems
    key = address_key(keyring, email)
    user = User(
        address_key=key,
        sealed=seal_person(keyring, key, email, name),
        password_hash=hash_password(password),
        role=role,
        languages=" ".join(languages),
        interface_language=interface_language,
    )
    session.add(user)
    session.flush()
    return user


def user_of(session: Session, keyring: Keyring, email: str) -> User | None:
    """The user of an address, whether they may sign in or not."""
    return session.scalar(select(User).where(User.address_key == address_key(keyring, email)))


def verify(session: Session, keyring: Keyring, email: str, password: str) -> User | None:
    """The user whom an address and a password name together, if they may sign in.

    An unknown address, a disabled user and a wrong password take the same time and give the same answer.
    """
    user = user_of(session, keyring, email)
    known = user if user is not None and user.disabled_at is None else None
    return known if is_password(known.password_hash if known else None, password) else None


def change_password(session: Session, user: User, password: str) -> list[Problem]:
    """Give a user another password and end all their sessions, or say why not."""
    problems = problems_of(password)
    if not problems:
        user.password_hash = hash_password(password)
        end_sessions(session, user.id)
    return problems


def change_role(session: Session, user: User, role: Role, languages: Sequence[str]) -> list[Problem]:
    """Give a user another role and end all their sessions, or say why not."""
    if role != Role.ADMIN and _is_last_admin(session, user):
        return [_last_admin()]
    user.role, user.languages = role, " ".join(languages)
    end_sessions(session, user.id)
    return []


def disable(session: Session, user: User) -> list[Problem]:
    """Let a user sign in no more, from this moment, or say why not."""
    if _is_last_admin(session, user):
        return [_last_admin()]
    user.disabled_at = session.scalar(select(clock()))
    end_sessions(session, user.id)
    return []


def enable(user: User) -> None:
    """Let a disabled user sign in again."""
    user.disabled_at = None


def seal_person(keyring: Keyring, key: bytes, email: str, name: str) -> bytes:
    """An address and a name as a user's row and an invitation keep them."""
    return keyring.seal(f"{email}\0{' '.join(name.split())}", bound_to=key)


def address_problems(session: Session, keyring: Keyring, email: str) -> list[Problem]:
    """Why nobody new can have this address; empty if somebody can."""
    try:
        validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        text = N_("“%(email)s” is not an e-mail address. Write it like name@example.org.")
        return [Problem("user.bad_address", text, {"email": email}, where="email")]
    if session.scalar(select(User.id).where(User.address_key == address_key(keyring, email))):
        text = N_("Someone with this e-mail address is already here.")
        return [Problem("user.known_address", text, where="email")]
    return []


def _is_last_admin(session: Session, user: User) -> bool:
    """Whether nobody but this user is an administrator. They all stay so until this transaction ends: two who take the
    right from one another would leave none."""
    admins = select(User.id).where(User.role == Role.ADMIN, User.disabled_at.is_(None)).order_by(User.id)
    return list(session.scalars(admins.with_for_update())) == [user.id]


def _last_admin() -> Problem:
    text = N_("This is the only administrator. Make someone else an administrator first.")
    return Problem("user.last_admin", text, where="role")
