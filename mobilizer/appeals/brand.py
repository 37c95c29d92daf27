"""Appeals: the organisation's colours. Chosen by people, judged by contrast, drawn so that they read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.colours import contrast, ink_on, readable
from mobilizer.db import Base
from mobilizer.message.context import DARK_CARD, DARK_RATIO, LIGHT_CARD
from mobilizer.problems import N_, Problem

ENOUGH = 4.5  # WCAG 2.2, 1.4.3: contrast of text with its ground
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_ONLY_ROW = 1


class BrandColours(Base):
    """The colours that were chosen in the browser, in one row; before that those of the settings hold."""

    __tablename__ = "brand_colours"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    button: Mapped[str]
    link: Mapped[str]
    header: Mapped[str]


@dataclass(frozen=True, slots=True)
class Brand:
    """The hues of buttons, links and headers, each as '#rrggbb'."""

    button: str
    link: str
    header: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A colour on a light or a dark screen: how well it reads as it was chosen, and what is drawn instead if it must.

    `part` is 'button', 'link' or 'header'; `ratio` that of WCAG, 1 to 21, of `chosen`; `used` is drawn with `ink`.
    """

    part: str
    scheme: str
    chosen: str
    ratio: float
    used: str
    ink: str
    used_ratio: float

    @property
    def reads(self) -> bool:
        """Whether the colour can stay as it was chosen."""
        return self.ratio >= ENOUGH


def brand_of(session: Session | None, usual: str) -> Brand:
    """The colours in force; `usual` is the settings' hue, for all that nobody has chosen."""
    row = session.get(BrandColours, _ONLY_ROW) if session is not None else None
    return Brand(row.button, row.link, row.header) if row else Brand(usual, usual, usual)


def keep_brand(session: Session, brand: Brand) -> list[Problem]:
    """Choose colours, or say which is none; then nothing is changed."""
    problems = [
        Problem("brand.no_colour", N_("Write a colour as # and six digits, like “#a5123d”."), where=part)
        for part, colour in asdict(brand).items()
        if not _COLOUR.fullmatch(colour)
    ]
    if not problems:
        session.merge(BrandColours(id=_ONLY_ROW, **asdict(brand)))
        session.flush()
    return problems


def read_brand(form: Mapping[str, str]) -> Brand:
    """The colours that a form asks for, in small letters; a link or header that is left empty is like the button."""
    button = form.get("button", "").strip().lower()
    link, header = (form.get(part, "").strip().lower() or button for part in ("link", "header"))
    return Brand(button, link, header)


def judge(brand: Brand) -> Iterator[Judged]:
    """Each colour as mails draw it, in light and in dark."""
    for scheme, card in (("light", LIGHT_CARD), ("dark", DARK_CARD)):
        for part in ("button", "header"):
            chosen = getattr(brand, part)
            used = chosen if scheme == "light" else readable(chosen, card, DARK_RATIO)
            ink = ink_on(chosen)
            on = ink_on(used)
            yield Judged(part, scheme, chosen, _least(chosen, ink, card, scheme), used, on, contrast(used, on))
        used = readable(brand.link, card, ENOUGH if scheme == "light" else DARK_RATIO)
        yield Judged("link", scheme, brand.link, contrast(brand.link, card), used, card, contrast(used, card))


def _least(chosen: str, ink: str, card: str, scheme: str) -> float:
    """What a filled ground has to hold: its words, and in the dark its shape against the card."""
    return contrast(chosen, ink) if scheme == "light" else min(contrast(chosen, ink), contrast(chosen, card))
