"""Demo: names as they are in each language, and where its speakers live. Nobody here is anybody."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language's share of the members, the tags they give, their second languages, and how they are called.

    `seconds` has None for those who gave no second language; a `place` is a country and a time zone.
    """

    share: int
    tags: tuple[str, ...]
    seconds: tuple[str | None, ...]
    domains: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    first: tuple[str, ...]
    last: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TONGUES: dict[str, Tongue] = {
    "en": Tongue(
        30, ("en", "en", "en-GB", "en-IN"), (None, None, None, "es", "fr"),
        ("example.org", "example.com", "post.example", "letters.test"),
        (("US", "America/New_York"), ("GB", "Europe/London"), ("IE", "Europe/Dublin"), ("IN", "Asia/Kolkata")),
        _words("Alex Robin Maya Grace Noah Olivia Sam Priya Liam Zoë Chloë Jamie Amara Ben Ruth Kofi Morgan Ivy"),
        _words("Taylor O'Neill Smith-Jones Okafor Murphy Patel Walker Brontë Campbell D'Souza Reed Ito-Clarke"),
    ),
    "es": Tongue(
        19, ("es", "es", "es-MX", "es-AR"), (None, None, "en", "pt"),
        ("example.net", "correo.example", "casa.test"),
        (("ES", "Europe/Madrid"), ("MX", "America/Mexico_City"), ("AR", "America/Argentina/Buenos_Aires")),
        _words("Lucía Mateo Sofía Nicolás Íñigo Begoña Andrés Ximena Óscar Martina Joaquín Noa Álex Belén Raúl Inés"),
        _words("García Muñoz Núñez Peña Rodríguez Ibáñez Castaño Quiñones Vázquez Yáñez Herrera Güell Ortuño"),
    ),
    "fr": Tongue(
        13, ("fr", "fr", "fr-CA"), (None, None, "en"),
        ("courriel.example", "lettres.test", "example.com"),
        (("FR", "Europe/Paris"), ("CA", "America/Toronto"), ("SN", "Africa/Dakar"), ("BE", "Europe/Brussels")),
        _words("Zoé Loïc Chloé François Aïcha Élodie Mathis Anaïs Jérôme Camille Noël Inès Théo Agnès Cédric Fatou"),
        _words("Lefèvre Dubois N'Diaye Beaulieu Moreau Gagné Château Le-Goff d'Aubigny Brûlé Garçon Perrin Béland"),
    ),
    "pt": Tongue(
        13, ("pt-BR", "pt-BR", "pt", "pt-PT"), (None, None, "es", "en"),
        ("correio.example", "example.org", "cartas.test"),
        (("BR", "America/Sao_Paulo"), ("PT", "Europe/Lisbon"), ("AO", "Africa/Luanda"), ("BR", "America/Recife")),
        _words("João Conceição Inês Antônio Luísa Caetano Estêvão Beatriz Thaís Zeca Letícia Vitória Gonçalo Íris"),
        _words("Araújo Gonçalves Simões Magalhães Brandão Corrêa Leitão Assunção Pinheiro Falcão Moraes Quadros"),
    ),
    "ar": Tongue(
        10, ("ar", "ar", "ar-EG", "ar-LB"), (None, None, "fr", "en"),
        ("bareed.example", "example.net", "rasail.test"),
        (("EG", "Africa/Cairo"), ("LB", "Asia/Beirut"), ("MA", "Africa/Casablanca"), ("JO", "Asia/Amman")),
        _words("ليلى سامي نور ياسمين كريم هدى عمر رنا طارق سلمى يوسف مريم زياد دانا رامي هالة"),
        _words("الخطيب حدّاد منصور النجّار عبدالله الشامي قاسم البيطار خوري درويش المصري سليمان"),
    ),
    "de": Tongue(
        7, ("de", "de", "de-AT"), (None, "en", "fr"),
        ("brief.example", "example.com", "post.test"),
        (("DE", "Europe/Berlin"), ("AT", "Europe/Vienna"), ("CH", "Europe/Zurich")),
        _words("Jürgen Käthe Björn Lotte Anneliese Emre Sören Mäxchen Ulrike Falk Zeynep Götz Friedl Hanna"),
        _words("Müller Groß Schäfer Weiß Öztürk Köhler Strauß Bäumler Lüdtke von-Ahlen Jäger Krüger"),
    ),
    "it": Tongue(
        5, ("it",), (None, "es", "fr"),
        ("posta.example", "example.org"),
        (("IT", "Europe/Rome"), ("CH", "Europe/Zurich")),
        _words("Niccolò Giulia Tobia Beatrice Andrea Noemi Vanni Lucilla Bruno Ambra Dario Elettra"),
        _words("Dell'Orto D'Angelo Rossi Pietà Fabbri Nicolò Colombo Zanè Bellini Conti"),
    ),
    "ja": Tongue(
        3, ("ja",), (None, "en"),
        ("tegami.example", "example.net"),
        (("JP", "Asia/Tokyo"),),
        _words("さくら 蓮 陽葵 悠真 美咲 翔太 結衣 光 葵 直樹"),
        _words("佐藤 鈴木 高橋 渡辺 小林 山本 斎藤 髙田"),
    ),
}  # fmt: skip

# What a name can be, and must arrive unharmed: each belongs to one member.
ODD_NAMES: tuple[str, ...] = (
    'Ana "Nana" Núñez',
    "Zoë <zoe@heart> O'Hara",
    "Robin 🌈 Castillo",
    "Nguyễn Thị Ngọc Ánh",
    "Łukasz Żółw",
    "=SUM(A1:A9)",
    "نور Sam الخطيب",
    "Björk; Guðmundsdóttir, Esq.",
    "Maximilianus " + " ".join(["de la Santísima Trinidad y de Todos los Santos"] * 4),
)
