"""Audience: the files that other tools export. Which tool a header speaks of, and what its words mean.  (pure)

What a tool calls its columns is from its own documents and exports; every one of them has others beside these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mobilizer.problems import N_, Problem


@dataclass(frozen=True, slots=True)
class Export:
    """A tool's export: the columns that tell it, any of several sets, and what some of its columns are; a field is in
    `columns` by name."""

    tool: str
    telling: tuple[frozenset[str], ...]
    columns: Mapping[str, str] = field(default_factory=dict)


EXPORTS = (
    Export(
        "Mobilizer",
        (frozenset({"email", "second language", "subscribed", "joined", "consent"}),),
        {
            "email": "email",
            "name": "name",
            "language": "language",
            "second language": "second_language",
            "country": "country",
            "time zone": "time_zone",
            "subscribed": "status",
            "tags": "tags",
            "joined": "joined",
            "consent": "consent",
            "wording": "wording",
            "wording language": "wording_language",
        },
    ),
    Export(
        "listmonk",
        (frozenset({"uuid", "email", "name", "attributes", "status"}),),
        {"email": "email", "name": "name", "status": "status"},
    ),
    Export(
        "Mailchimp",
        (frozenset({"member_rating", "optin_time"}),),
        {
            "email address": "email",
            "email": "email",
            "name": "name",
            "first name": "first_name",
            "last name": "last_name",
            "cc": "country",
            "timezone": "time_zone",
            "language": "language",
            "country": "country",
            "status": "status",
            # In the files of those who left, and of those whom no mail reached: when that was.
            "unsub_time": "status",
            "clean_time": "status",
            "tags": "tags",
        },
    ),
    Export(
        "Action Network",
        (frozenset({"email", "can2_user_tags"}), frozenset({"email", "can2_subscription_status"})),
        {
            "email": "email",
            "first_name": "first_name",
            "last_name": "last_name",
            "country": "country",
            "language": "language",
            "can2_subscription_status": "status",
            "subscription_status": "status",
            "can2_user_tags": "tags",
        },
    ),
    Export(
        "ActionKit",
        (frozenset({"email", "akid"}), frozenset({"email", "subscription_status", "source", "lang"})),
        {
            "email": "email",
            "first_name": "first_name",
            "last_name": "last_name",
            "country": "country",
            "lang": "language",
            "subscription_status": "status",
        },
    ),
    Export(
        "Mautic",
        (frozenset({"email", "firstname", "lastname", "preferred_locale"}),),
        {
            "email": "email",
            "firstname": "first_name",
            "lastname": "last_name",
            "country": "country",
            "preferred_locale": "language",
            "timezone": "time_zone",
            "tags": "tags",
        },
    ),
)

_STAYED = frozenset(
    [
        "subscribed",
        "enabled",
        "confirmed",
        "active",
        "yes",
        "y",
        "true",
        "1",
        "member",
        "opted-in",
        "opted_in",
        "optin",
        "suscrito",
        "activo",
        "abonné",
        "inscrit",
        "subscrito",
        "ativo",
        "مشترك",
        "نشط",
        "angemeldet",
        "aktiv",
    ]
)
_LEFT = frozenset(
    [
        "unsubscribed",
        "unsub",
        "disabled",
        "blocklisted",
        "blacklisted",
        "cleaned",
        "bounced",
        "bouncing",
        "bounce",
        "previous bounce",
        "previous spam complaint",
        "blocked",
        "inactive",
        "no",
        "n",
        "false",
        "0",
        "never",
        "non-subscribed",
        "nonsubscribed",
        "unconfirmed",
        "pending",
        "spam",
        "complaint",
        "complained",
        "archived",
        "deleted",
        "opted-out",
        "opted_out",
        "optout",
        "baja",
        "cancelado",
        "désabonné",
        "désinscrit",
        "inativo",
        "ملغى",
        "abgemeldet",
    ]
) | {"spam complaint", "opted out", "opted in no", "undeliverable", "unsubscribed (bulk)"}

# Of these, what a person has said themselves, wherever they did: it holds for us, too. The others speak of an address
# that no mail reached, or of somebody who was not asked yet.
_SAID_SO = frozenset(
    [
        "unsubscribed",
        "unsubscribed (bulk)",
        "unsub",
        "blocklisted",
        "blacklisted",
        "no",
        "n",
        "false",
        "0",
        "spam",
        "complaint",
        "complained",
        "previous spam complaint",
        "spam complaint",
        "opted-out",
        "opted_out",
        "opted out",
        "opted in no",
        "optout",
        "baja",
        "cancelado",
        "désabonné",
        "désinscrit",
        "ملغى",
        "abgemeldet",
    ]
)

_DATE = re.compile(r"\d{4}-\d\d?-\d\d?\b|\d\d?[./]\d\d?[./]\d{2,4}\b")


def export_of(header: Sequence[str]) -> Export | None:
    """The export that a header is of, if it is one we know."""
    names = {_key(name) for name in header}
    return next((export for export in EXPORTS if any(telling <= names for telling in export.telling)), None)


def export_columns(export: Export, header: Sequence[str]) -> dict[str, int]:
    """Field -> position, as an export has them."""
    found: dict[str, int] = {}
    for position, name in enumerate(header):
        at = export.columns.get(_key(name))
        if at:
            found.setdefault(at, position)
    return found


def has_left(cell: str) -> Problem | None:
    """Why a person stays out by the word in the column that says whether they are subscribed; None if they are.

    A blank says nothing. A date is when they left. A word that nobody knows keeps them out: who has left must not come
    back by a file.
    """
    word = cell.strip().casefold()
    if not word or word in _STAYED:
        return None
    params = {"status": cell.strip()[:60]}
    if word in _LEFT or _DATE.match(word):
        message = N_("The file says “%(status)s”: this person does not want mail, or it can't reach them.")
        return Problem("import.left", message, params, "warning", "status")
    message = N_(
        "“%(status)s” does not tell whether this person is subscribed. Write “subscribed” or “unsubscribed”, or leave "
        "the column out."
    )
    return Problem("import.unknown_status", message, params, where="status")


def said_so(cell: str) -> bool:
    """Whether the word in that column, or the date, means that the person themselves does not want mail any more."""
    word = cell.strip().casefold()
    return word in _SAID_SO or _DATE.match(word) is not None


def _key(name: str) -> str:
    return name.strip().casefold()
