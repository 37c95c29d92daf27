"""Message: what goes in. The words, the frame round them, and the one person they go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

from mobilizer.tracking import Tracking

TOKEN_WIDTH = 50


@dataclass(frozen=True, slots=True)
class Copy:
    """An appeal's words in one language, as they were written: with merge tags, `body` in Markdown too."""

    language: str
    title: str
    subject: str
    preheader: str
    greeting: str
    greeting_nameless: str
    body: str
    button: str
    poster_alt: str
    share_text: str


LinkKind = Literal["url", "watch", "share"]


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """Where a link leads: `url` for kind 'url', else our own watch or share page, made per member."""

    kind: LinkKind
    url: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds the words and is the same for every member of a blast.

    `base_url` has no slash at its end; `poster_width` and `poster_height` are in CSS pixels as shown (files are 2x);
    `other_languages` are the tags of the blast's other renditions. Links and headers without a colour of their own have
    the brand's; a `proof` says in its subject that it is one. `page_slug` names the appeal on our pages; `tracking`
    says what its links tell; a `discreet` mail says nothing of lists either. `leave_by_mail`: who writes to the address
    beside the link is unsubscribed.
    """

    template: str
    base_url: str
    organisation: str
    postal_address: str
    sender_name: str
    sender_address: str
    reply_to: str
    return_domain: str
    brand_colour: str
    blast_slug: str
    poster_url: str
    poster_width: int
    poster_height: int
    video_seconds: int
    other_languages: tuple[str, ...] = ()
    link_colour: str = ""
    header_colour: str = ""
    proof: bool = False
    page_slug: str = ""
    tracking: Tracking = Tracking.PSEUDONYMOUS
    discreet: bool = False
    leave_by_mail: bool = True


class Tokens(NamedTuple):
    """One token a purpose, each of TOKEN_WIDTH lower-case letters and digits: none serves as another.

    Where a blast is counted in sums, `open` and `click` are the same for all of its members.
    """

    open: str
    click: str
    unsubscribe: str
    preferences: str
    view: str
    bounce: str
    message: str


@dataclass(slots=True)  # one is made for each message: frozen, it would take three times as long
class Recipient:
    """The one person a message goes to. `values` are what merge tags beyond the name may say ('country')."""

    address: str
    name: str
    joined_on: date
    list_name: str
    list_slug: str
    share_code: str
    tokens: Tokens
    values: Mapping[str, object] = field(default_factory=dict)
