"""What the tests of the message craft compile: one short appeal of our own in five languages, and its members."""

from __future__ import annotations

from datetime import UTC, date, datetime

from mobilizer.catalogs import phrases
from mobilizer.message.compile import compile_rendition, links_of
from mobilizer.message.content import Copy, Frame, Recipient, Tokens
from mobilizer.message.rendition import Rendition

LANGUAGES = ("en", "es", "fr", "pt", "ar")
WHEN = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TOKENS = Tokens(*(f"{purpose}{'0123456789abcdef' * 4}"[:50] for purpose in "oculvbm"))

COPIES = {
    "en": Copy(
        language="en",
        title="The light in the window",
        subject='{{ first_name | "Friend" }}, two minutes that stay with you',
        preheader="A street, a window, a light left on for someone.",
        greeting="Dear {{ first_name }},",
        greeting_nameless="Dear friend,",
        body=(
            "Every evening somebody leaves a **light** on. Our short film tells for whom.\n\n"
            "Watch it, then [read the story behind it](https://story.example.org/light?from=mail&part=1). "
            "Here is what you can do:\n\n- watch the film\n- send it to one person you love\n\n"
            'Thank you, {{ name | "friend" }}, from all of us at {{ organisation }}.'
        ),
        button="Watch the film",
        poster_alt="A lit window in a dark street",
        share_text="Two minutes about a light left on for someone. Watch it with me:",
    ),
    "es": Copy(
        language="es",
        title="La luz en la ventana",
        subject="{{ first_name | “Hola” }}: dos minutos que se quedan contigo",
        preheader="Una calle, una ventana, una luz encendida para alguien.",
        greeting="Hola, {{ first_name }}:",
        greeting_nameless="Hola:",
        body=(
            "Cada noche alguien deja una **luz** encendida. Nuestro corto cuenta para quién.\n\n"
            "Míralo y después [lee la historia](https://story.example.org/light?from=mail&part=1). "
            "Esto es lo que puedes hacer:\n\n- ver el corto\n- enviarlo a una persona a la que quieras\n\n"
            "Gracias de parte de {{ organisation }}."
        ),
        button="Ver el corto",
        poster_alt="Una ventana iluminada en una calle oscura",
        share_text="Dos minutos sobre una luz encendida para alguien. Míralo conmigo:",
    ),
    "fr": Copy(
        language="fr",
        title="La lumière à la fenêtre",
        subject="{{ first_name | «Bonjour» }}, deux minutes qui restent",
        preheader="Une rue, une fenêtre, une lumière laissée pour quelqu'un.",
        greeting="Bonjour {{ first_name }},",
        greeting_nameless="Bonjour,",
        body=(
            "Chaque soir, quelqu'un laisse une **lumière** allumée. Notre court film dit pour qui.\n\n"
            "Regardez-le, puis [lisez son histoire](https://story.example.org/light?from=mail&part=1). "
            "Voici ce que vous pouvez faire :\n\n- regarder le film\n- l'envoyer à une personne que vous aimez\n\n"
            "Merci, de la part de {{ organisation }}."
        ),
        button="Voir le film",
        poster_alt="Une fenêtre éclairée dans une rue sombre",
        share_text="Deux minutes sur une lumière laissée pour quelqu'un. À voir ensemble :",
    ),
    "pt": Copy(
        language="pt",
        title="A luz na janela",
        subject='{{ first_name | "Olá" }}, dois minutos que ficam com você',
        preheader="Uma rua, uma janela, uma luz acesa para alguém.",
        greeting="Olá, {{ first_name }},",
        greeting_nameless="Olá,",
        body=(
            "Toda noite alguém deixa uma **luz** acesa. Nosso curta conta para quem.\n\n"
            "Assista e depois [leia a história](https://story.example.org/light?from=mail&part=1). "
            "Veja o que você pode fazer:\n\n- assistir ao filme\n- enviar a uma pessoa que você ama\n\n"
            "Um abraço de {{ organisation }}."
        ),
        button="Assistir ao filme",
        poster_alt="Uma janela iluminada em uma rua escura",
        share_text="Dois minutos sobre uma luz acesa para alguém. Assista comigo:",
    ),
    "ar": Copy(
        language="ar",
        title="الضوء في النافذة",
        subject="{{ first_name | «مرحبًا» }}، دقيقتان تبقيان معك",
        preheader="شارع ونافذة وضوء تُرك مضاءً من أجل أحدهم.",
        greeting="مرحبًا {{ first_name }}،",
        greeting_nameless="مرحبًا،",
        body=(
            "كل مساء يترك أحدهم **ضوءًا** مضاءً. فيلمنا القصير يحكي لمن.\n\n"
            "بعد المشاهدة يمكن [قراءة القصة](https://story.example.org/light?from=mail&part=1). "
            "وهذا ما يمكن فعله:\n\n- مشاهدة الفيلم\n- إرساله إلى شخص عزيز\n\n"
            "شكرًا من {{ organisation }}."
        ),
        button="مشاهدة الفيلم",
        poster_alt="نافذة مضاءة في شارع مظلم",
        share_text="دقيقتان عن ضوء تُرك من أجل أحدهم. لنشاهده معًا:",
    ),
}


def frame(language: str = "en", **changes: object) -> Frame:
    """The frame of a small organisation's blast."""
    fields: dict[str, object] = {
        "template": "video-appeal",
        "base_url": "https://act.example.org",
        "organisation": "Lights On",
        "postal_address": "12 Hope Street, 1100-001 Lisbon, Portugal",
        "sender_name": "Lights On",
        "sender_address": "hello@lights.example.org",
        "reply_to": "",
        "return_domain": "bounce.lights.example.org",
        "brand_colour": "#a5123d",
        "blast_slug": "light-in-the-window",
        "poster_url": "https://act.example.org/media/0123abcd.jpg",
        "poster_width": 600,
        "poster_height": 338,
        "video_seconds": 120,
        "other_languages": tuple(tag for tag in LANGUAGES if tag != language),
    }
    return Frame(**(fields | changes))  # type: ignore[arg-type]


def rendition(language: str = "en", **changes: object) -> Rendition:
    """The sample appeal compiled in a language."""
    copy = COPIES[language]
    return compile_rendition(copy, frame(language, **changes), links_of(copy), phrases("member", language))


def recipient(name: str = "Ana Silva", address: str = "ana@mail.example.net", **changes: object) -> Recipient:
    """A member with fixed tokens."""
    fields: dict[str, object] = {
        "address": address,
        "name": name,
        "joined_on": date(2026, 5, 3),
        "list_name": "Friends of the light",
        "list_slug": "friends",
        "share_code": "k7mpq2xv9w",
        "tokens": TOKENS,
        "values": {},
    }
    return Recipient(**(fields | changes))  # type: ignore[arg-type]
