"""Web: who wrote, read or said something, by the name that organizers and translators know each other by."""

from __future__ import annotations

from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.history import authors
from mobilizer.http import installation
from mobilizer.languages import parents
from mobilizer.organizers.accounts import Account, accounts
from mobilizer.organizers.policy import may
from mobilizer.web.labels import label
from mobilizer.web.policy import me, permitted
from mobilizer.web.words import _


class Authors:
    """The users by their numbers, read once for a page."""

    def __init__(self, session: Session) -> None:
        self._accounts = {one.id: one for one in accounts(session, installation().keyring)}

    def name(self, number: int | None) -> str:
        """What a user is called: their name, else their role, never an address; 'You' for whoever looks."""
        if number == me().id:
            return _("You")
        found = self._accounts.get(number or 0)
        return (found.name or label(found.role, "role")) if found else _("Somebody")

    def why_not_review(self, session: Session, appeal: Appeal, tag: str) -> str:
        """Why I may not approve a language, '' if I may: who wrote it approves it only where nobody else could."""
        if not (permitted("appeals.review") and may_read(me(), tag)):
            return _("You may not approve this language.")
        wrote = me().id in authors(session, appeal).get(tag, set())
        others = [one for one in self._accounts.values() if one.id != me().id and one.disabled_at is None]
        if wrote and any(may(one.role, "appeals.review") and may_read(one, tag) for one in others):
            return _("You wrote some of it: somebody else has to approve it.")
        return ""


def may_read(account: Account, tag: str) -> bool:
    """Whether a language is among those that an account works on."""
    return may(account.role, "appeals.write") or bool(set(parents(tag)) & set(account.languages))
