"""Public: share links. Plain links to where people already talk, each with the member's share code and its channel."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from flask import url_for

from mobilizer.problems import N_
from mobilizer.public.film import Film, address

# Channels, as events name them; the last four have no address of their own. `mail` is the link in the mail itself.
CHANNELS = (
    *("whatsapp", "telegram", "signal", "facebook", "x", "bluesky", "email", "sms"),
    *("copy", "native", "qr", "mail"),
)

OWN_WORDS = "{words}"
_CODE = re.compile(r"[a-z0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to pass it on. `name` is a msgid; `outside` says that the address is another site's.

    `form` is the address with OWN_WORDS where the member's own words come to stand.
    """

    code: str
    name: str
    address: str
    outside: bool
    form: str = ""

    @property
    def icon(self) -> str:
        """The icon's name."""
        return self.code


@dataclass(frozen=True, slots=True)
class Sharing:
    """All the ways to pass one film on; `link` is the plain one, `copied` and `native` name their channel.

    `picture` is the address of the link as a QR code, empty without a share code.
    """

    link: str
    copied: str
    native: str
    picture: str
    channels: tuple[Channel, ...]


def is_code(code: str) -> bool:
    """Whether something can be a share code; whether it is somebody's, only the database knows."""
    return _CODE.fullmatch(code) is not None


def sharing(film: Film, slug: str, code: str, *, discreet: bool = False) -> Sharing:
    """The share links of a film; without a code they lead to the plain watch page."""

    def link(channel: str = "") -> str:
        if not code:
            return address(f"/w/{slug}/{film.language.tag}", discreet=discreet)
        return address(f"/s/{code}/{slug}", discreet=discreet) + (f"?c={channel}" if channel else "")

    ready = _channels(film.title, film.shared_on, link)
    forms = _channels(film.title, lambda _channel: OWN_WORDS, link)
    return Sharing(
        link(),
        link("copy"),
        link("native"),
        url_for("public.qr", code=code, slug=slug) if code else "",
        tuple(replace(one, form=form.address) for one, form in zip(ready, forms, strict=True)),
    )


def _channels(title: str, said: Callable[[str], str], link: Callable[[str], str]) -> tuple[Channel, ...]:
    """Each channel with what is said on it."""

    def words(channel: str) -> str:
        return f"{said(channel)}\n{link(channel)}".strip()

    def outside(channel: str, name: str, base: str, **query: str) -> Channel:
        return Channel(channel, name, f"{base}?{urlencode(query, quote_via=quote)}", outside=True)

    subject, body = quote(title), quote(words("email").replace("\n", "\r\n\r\n"))
    return (
        outside("whatsapp", "WhatsApp", "https://wa.me/", text=words("whatsapp")),
        outside("telegram", "Telegram", "https://t.me/share/url", url=link("telegram"), text=said("telegram")),
        Channel("signal", "Signal", f"sgnl://send?text={quote(words('signal'))}", outside=False),
        outside("facebook", "Facebook", "https://www.facebook.com/sharer/sharer.php", u=link("facebook")),
        outside("x", "X", "https://x.com/intent/post", text=said("x"), url=link("x")),
        outside("bluesky", "Bluesky", "https://bsky.app/intent/compose", text=words("bluesky")),
        Channel("email", N_("E-mail"), f"mailto:?subject={subject}&body={body}", outside=False),
        Channel("sms", N_("Text message"), f"sms:?&body={quote(words('sms'))}", outside=False),
    )
