"""Web: what states, reasons and kinds are called on a page. A code that has no label is shown as it is."""

from __future__ import annotations

from flask import Flask
from markupsafe import Markup

from mobilizer.organizers.policy import ROLE_NAMES
from mobilizer.problems import N_
from mobilizer.web.reasons import reason_text
from mobilizer.web.words import _, add_filters

# (label, tone of its badge)
STANDINGS = {
    "confirmed": (N_("On the list"), "good"),
    "pending": (N_("Not confirmed yet"), "warn"),
    "unsubscribed": (N_("Unsubscribed"), ""),
    "suppressed": (N_("Suppressed"), "bad"),
}
# What members chose, whatever their lists.
FEWER = {
    "paused": (N_("Paused their mails"), "warn"),
    "monthly": (N_("One mail a month at most"), ""),
}
SUPPRESSED_FOR = {
    "hard_bounce": (N_("The mailbox does not exist"), "bad"),
    "soft_bounces": (N_("The mailbox kept refusing mail"), "bad"),
    "complaint": (N_("They reported a mail as spam"), "bad"),
    "erased": (N_("Erased on request"), "bad"),
    "manual": (N_("Taken out by hand"), "bad"),
}
DELIVERIES = {
    "pending": (N_("Waiting"), "info"),
    "held": (N_("Held back"), "warn"),
    "handing": (N_("Being handed over"), "info"),
    "accepted": (N_("Accepted"), "good"),
    "rejected": (N_("Rejected"), "bad"),
    "skipped": (N_("Skipped"), ""),
    "uncertain": (N_("Uncertain"), "warn"),
}
BLASTS = {
    "draft": (N_("Draft"), ""),
    "ready": (N_("Ready"), "info"),
    "asked": (N_("Waits for a second person"), "warn"),
    "scheduled": (N_("Scheduled"), "info"),
    "leaving": (N_("Leaves in a moment"), "info"),
    "launching": (N_("Launching"), "info"),
    "sending": (N_("Sending"), "info"),
    "paused": (N_("Paused"), "warn"),
    "held": (N_("Held"), "bad"),
    "sent": (N_("Sent"), "good"),
    "cancelled": (N_("Cancelled"), ""),
}
EVENTS = {
    "open": (N_("Opened a mail"), ""),
    "click": (N_("Clicked"), "info"),
    "visit": (N_("Came to the watch page"), "info"),
    "watch": (N_("Watched the video"), "good"),
    "share": (N_("Shared"), "good"),
    "join": (N_("Joined"), "good"),
    "unsubscribe": (N_("Unsubscribed"), "warn"),
    "resubscribe": (N_("Came back"), "good"),
    "preferences": (N_("Changed their preferences"), ""),
}
CAUGHT_BY = {
    "exact": (N_("their language"), ""),
    "parent": (N_("another form of their language"), ""),
    "second": (N_("their second language"), ""),
    "chain": (N_("a fallback chain"), ""),
    "default": (N_("the default language"), ""),
    "waits": (N_("waits until it is approved"), ""),
}
IMPORTS = {
    "uploaded": (N_("Waiting for your choice"), "warn"),
    "running": (N_("Under way"), "info"),
    "paused": (N_("Paused"), "warn"),
    "done": (N_("Done"), "good"),
    "failed": (N_("Failed"), "bad"),
    "undoing": (N_("Being undone"), "info"),
    "undone": (N_("Undone"), ""),
}
LANGUAGE_STATES = {
    "empty": (N_("Empty"), ""),
    "draft": (N_("Begun"), ""),
    "out_of_date": (N_("Out of date"), "bad"),
    "done": (N_("Done"), "warn"),
    "reviewed": (N_("Reviewed"), "good"),
}
# How words came to be as they are.
EDITS = {
    "saved": (N_("Saved"), ""),
    "autosaved": (N_("Saved by itself"), ""),
    "restored": (N_("Brought back"), "info"),
    "imported": (N_("From a file"), "info"),
}
TIERS = {
    "active": (N_("Active: opened, clicked, watched or shared in the last 90 days"), "good"),
    "quiet": (N_("Quiet: did so in the last year, but not in the last 90 days"), "warn"),
    "new": (N_("New: joined in the last 30 days and has done nothing yet"), "info"),
    "inactive": (N_("Inactive: joined earlier and has done nothing in a year"), ""),
}
# What an organizer did to a member's record, as the audit log calls it.
CHANGES = {
    "member.change": (N_("Record changed"), "info"),
    "member.fields": (N_("Fields changed"), "info"),
    "member.tag": (N_("Tags put on"), "info"),
    "member.untag": (N_("Tags taken off"), "info"),
    "member.join": (N_("Put on a list by hand"), "info"),
    "member.leave": (N_("Taken off a list by hand"), "warn"),
    "member.merge": (N_("Another record merged into it"), "info"),
    "member.note": (N_("Note written"), ""),
    "member.note_erase": (N_("Note erased"), ""),
    "member.record": (N_("Record taken"), ""),
}
FIELDS = {
    "email": (N_("Address"), ""),
    "name": (N_("Name"), ""),
    "language": (N_("Language"), ""),
    "second_language": (N_("Second language"), ""),
    "country": (N_("Country"), ""),
    "time_zone": (N_("Time zone"), ""),
    "attributes": (N_("Further fields"), ""),
}
_TABLES = {
    "role": {str(role): (name, "") for role, name in ROLE_NAMES.items()},
    "standing": {**STANDINGS, **FEWER},
    "suppressed": SUPPRESSED_FOR,
    "delivery": DELIVERIES,
    "blast": BLASTS,
    "event": EVENTS,
    "caught_by": CAUGHT_BY,
    "import": IMPORTS,
    "tier": TIERS,
    "language_state": LANGUAGE_STATES,
    "edit": EDITS,
    "change": CHANGES,
    "field": FIELDS,
}


def label(code: str, table: str) -> str:
    """The words for a code in the page's language: `label("held", "blast")`."""
    known = _TABLES[table].get(code)
    return _(known[0]) if known else code


def mark(code: str, table: str) -> Markup:
    """The same as a badge in its tone."""
    known = _TABLES[table].get(code)
    return Markup('<span class="badge {}">{}</span>').format(known[1] if known else "", label(code, table))


def install_labels(app: Flask) -> None:
    """Give templates `code|label("blast")`, `code|mark("blast")` and `code|reason`."""
    add_filters(app, label=label, mark=mark, reason=reason_text)
