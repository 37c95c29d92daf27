"""Engagement: person or machine. Each rule has a name, which is all that is kept of what it looked at."""

from __future__ import annotations


def by_agent(_kind: str, agent: str) -> str:
    """The name of the rule that says a program of this class acts for no person, or empty."""
    return agent
