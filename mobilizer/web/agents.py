"""Web: the browser that asks: what it is called, and how it stays signed in where others are signed out."""

from __future__ import annotations

from flask import request, session
from sqlalchemy.orm import Session

from mobilizer.http import installation
from mobilizer.organizers.sessions import begin_session
from mobilizer.web.policy import TOKEN_KEY

# The first that is found says it: many call themselves what they are not.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """“Firefox, Linux”; empty where neither is known. Versions and all else are left out: they would tell people
    apart."""
    found = [next((name for sign, name in table if sign in agent), "") for table in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, found))


def this_browser() -> str:
    """What the browser that asks is called."""
    return browser_name(request.user_agent.string)


def stay_signed_in(writing: Session, user_id: int) -> None:
    """Give this browser a session anew, after all of the user's were ended."""
    session[TOKEN_KEY] = begin_session(writing, user_id, installation().settings.session_hours, this_browser())
