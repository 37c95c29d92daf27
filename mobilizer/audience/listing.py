"""Audience: making and naming lists."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience.lists import MemberList
from mobilizer.problems import N_, Problem
from mobilizer.slugs import free_slug, slug

MAX_NAME = 100


def name_problems(name: str) -> list[Problem]:
    """What is wrong with a list's name."""
    if not name.strip():
        return [Problem("list.name_missing", N_("A list needs a name. Members see it in every mail."), where="name")]
    if len(name.strip()) > MAX_NAME:
        message = N_("The name has more than %(most)d letters. Members see it in every mail: make it short.")
        return [Problem("list.name_long", message, {"most": MAX_NAME}, where="name")]
    return []


def create_list(session: Session, name: str, description: str = "") -> MemberList:
    """A new, empty list; its slug is made of its name and is free."""

    def taken(candidate: str) -> bool:
        return session.scalar(select(MemberList.id).where(MemberList.slug == candidate)) is not None

    row = MemberList(slug=free_slug(slug(name, "list"), taken), name=name.strip(), description=description.strip())
    session.add(row)
    session.flush()
    return row
