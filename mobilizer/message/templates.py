"""Message: the e-mail templates there are. Each is a folder that says of itself what it is and what it needs."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from mobilizer.message.compile import templates_folder

USUAL = "video-appeal"


@dataclass(frozen=True, slots=True)
class Template:
    """One folder of templates/email, as its about.toml tells it.

    `fields` are the fields of a translation that it shows, `needs` the media without which it would look broken
    ('poster', 'video'). `name` and `description` are English; those of our own templates are phrases of the catalogs.
    """

    slug: str
    name: str
    description: str
    fields: tuple[str, ...]
    needs: tuple[str, ...]


@cache
def templates() -> tuple[Template, ...]:
    """Every template, the usual one first."""
    folders = [path.parent for path in templates_folder().glob("[!_]*/about.toml")]
    found = [_read(folder.name) for folder in sorted(folders)]
    return tuple(sorted(found, key=lambda one: one.slug != USUAL))


def template_named(slug: str) -> Template | None:
    """The template of a folder's name."""
    return next((one for one in templates() if one.slug == slug), None)


def _read(slug: str) -> Template:
    about = tomllib.loads((templates_folder() / slug / "about.toml").read_text("utf-8"))
    return Template(slug, about["name"], about["description"], tuple(about["fields"]), tuple(about["needs"]))
