"""Audience: making and naming lists."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience.lists import MemberList
from mobilizer.problems import N_, Problem
from mobilizer.slugs import free_slug, is_slug
from mobilizer.slugs import slug as to_slug

MAX_NAME = 100
# What an address of a page already means.
TAKEN = frozenset({"new"})


def name_problems(name: str) -> list[Problem]:
    """What is wrong with a list's name."""
    if not name.strip():
        return [Problem("list.name_missing", N_("A list needs a name. Members see it in every mail."), where="name")]
    if len(name.strip()) > MAX_NAME:
        message = N_("The name is too long (letters: at most %(most)d). Members see it in every mail: make it short.")
        return [Problem("list.name_long", message, {"most": MAX_NAME}, where="name")]
    return []


def create_list(session: Session, name: str, description: str = "", slug: str = "") -> MemberList:
    """A new, empty list; without a `slug` it gets a free one made of its name. Raises ValueError for a bad one."""
    if slug and not is_slug(slug):
        raise ValueError(f"{slug!r} is not a slug")

    def taken(candidate: str) -> bool:
        return (
            candidate in TAKEN or session.scalar(select(MemberList.id).where(MemberList.slug == candidate)) is not None
        )

    free = free_slug(slug or to_slug(name, "list"), taken)
    row = MemberList(slug=free, name=name.strip(), description=description.strip())
    session.add(row)
    session.flush()
    return row
