"""Demo: who can sign in. Passwords that are printed on the screen are good for nothing but a demo."""

from __future__ import annotations

from dataclasses import dataclass

from mobilizer.organizers.policy import Role

PASSWORD = "love-always-wins"  # noqa: S105 - meant to be known


@dataclass(frozen=True, slots=True)
class Login:
    """One of the demo's users."""

    role: Role
    name: str
    email: str
    can: str
    languages: tuple[str, ...] = ()
    password: str = PASSWORD


LOGINS = (
    Login(Role.ADMIN, "Ada Admin", "admin@example.org", "everything, users and settings too"),
    Login(Role.ORGANIZER, "Omar Organizer", "organizer@example.org", "writes, checks and launches"),
    Login(
        Role.TRANSLATOR, "Teresa Translator", "translator@example.org", "writes Spanish and Portuguese", ("es", "pt")
    ),
    Login(Role.VIEWER, "Vera Viewer", "viewer@example.org", "sees sums, and nobody in them"),
)
