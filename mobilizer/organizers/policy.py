"""Organizers: the one policy table, who may do what. What is not in it is forbidden."""

from __future__ import annotations

from enum import StrEnum

from mobilizer.problems import N_


class Role(StrEnum):
    """What a user is here for; from the one who only looks to the one who may do all."""

    VIEWER = "viewer"
    TRANSLATOR = "translator"
    ORGANIZER = "organizer"
    ADMIN = "admin"


ROLE_NAMES = {
    Role.VIEWER: N_("Viewer"),
    Role.TRANSLATOR: N_("Translator"),
    Role.ORGANIZER: N_("Organizer"),
    Role.ADMIN: N_("Administrator"),
}

_EVERYONE = frozenset(Role)
_ORGANIZERS = frozenset({Role.ORGANIZER, Role.ADMIN})
_READERS = _ORGANIZERS | {Role.VIEWER}
_WRITERS = _ORGANIZERS | {Role.TRANSLATOR}
_ADMINS = frozenset({Role.ADMIN})

# A viewer sees sums and nothing else; a translator sees words but neither members nor blasts.
POLICY: dict[str, frozenset[Role]] = {
    "overview.see": _EVERYONE,
    "sums.see": _READERS,
    "lists.see": _ORGANIZERS,
    "lists.edit": _ORGANIZERS,
    "segments.see": _ORGANIZERS,
    "segments.edit": _ORGANIZERS,
    "members.see": _ORGANIZERS,
    "members.edit": _ORGANIZERS,
    "members.import": _ORGANIZERS,
    "members.record": _ORGANIZERS,
    "members.erase": _ORGANIZERS,
    "members.export": _ADMINS,
    "appeals.see": _WRITERS,
    "appeals.translate": _WRITERS,
    "appeals.review": _WRITERS,
    "appeals.write": _ORGANIZERS,
    "glossary.see": _WRITERS,
    "glossary.edit": _ORGANIZERS,
    "blasts.see": _ORGANIZERS,
    "blasts.edit": _ORGANIZERS,
    "blasts.proof": _ORGANIZERS,
    "blasts.launch": _ORGANIZERS,
    "results.see": _ORGANIZERS,
    "settings.own": _EVERYONE,
    "settings.fields": _ORGANIZERS,
    "settings.brand": _ORGANIZERS,
    "settings.languages": _ORGANIZERS,
    "settings.relays": _ORGANIZERS,
    "settings.kept": _ORGANIZERS,
    "settings.audit": _ADMINS,
    "settings.sending": _ADMINS,
    "settings.second_person": _ADMINS,
    "settings.users": _ADMINS,
    "inbox.see": _EVERYONE,
}


def may(role: str, action: str) -> bool:
    """Whether a role may do an action. An action that the table does not know is nobody's."""
    return role in POLICY.get(action, frozenset())
