"""What the appeals' tests share: pictures made on the spot, and an appeal in two languages."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image

from mobilizer import tables as tables
from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.fields import BY_NAME, MEDIA_FIELDS

WORDS = {
    "subject": "The embrace she imagined",
    "preheader": "Two minutes from Sochi.",
    "greeting": "Dear {{ first_name }},",
    "greeting_nameless": "Dear friend,",
    "title": "Love Always Wins",
    "poster_alt": "Play video: two women on the ice",
    "body": "Watch [the film](https://example.org/film) and [read](https://example.net/why), {{ first_name }}.",
    "button": "Watch the film",
    "share_text": "Two minutes that stayed with me.",
    "share_whatsapp": "Watch this tonight!",
    "share_email": "I saw this film and thought of you.",
    "share_sms": "Two minutes for you:",
    "join_text": "There is more to come: join us.",
}
PALABRAS = {
    "subject": "El abrazo que imaginó",
    "preheader": "Dos minutos desde Sochi.",
    "greeting": "Hola, {{ first_name }}:",
    "greeting_nameless": "Hola:",
    "title": "El amor siempre gana",
    "poster_alt": "Reproducir: dos mujeres sobre el hielo",
    "body": "Mira [la película](https://example.org/es/film) y [lee](https://example.net/why), {{ first_name }}.",
    "button": "Ver la película",
    "share_text": "Dos minutos que no se me van de la cabeza.",
    "share_whatsapp": "¡Mira esto esta noche!",
    "share_email": "Vi esta película y me acordé de ti.",
    "share_sms": "Dos minutos para ti:",
    "join_text": "Habrá más películas: únete a nosotros.",
}

Picture = Callable[..., bytes]


@pytest.fixture
def picture() -> Picture:
    """A picture's bytes, of a size, mode and format."""

    def picture(width: int = 1600, height: int = 900, form: str = "PNG", mode: str = "RGB") -> bytes:
        image = Image.linear_gradient("L").resize((width, height)).convert(mode)
        out = BytesIO()
        image.save(out, form)
        return out.getvalue()

    return picture


def an_appeal() -> Appeal:
    """An appeal in English and Spanish that says the same in both; not yet in any database."""
    return Appeal(
        slug="love",
        source_language="en",
        video=f"{'a' * 40}.mp4",
        poster=f"{'b' * 40}.jpg",
        video_seconds=120,
        translations=[blank("en", **WORDS), blank("es", **PALABRAS)],
    )


def blank(language: str, **words: str) -> Translation:
    """A translation with empty fields but for `words`."""
    empty = dict.fromkeys((*BY_NAME, *MEDIA_FIELDS), "")
    return Translation(language=language, **{**empty, **words})
