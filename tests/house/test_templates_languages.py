"""House: every e-mail template speaks every member language, and what it says of itself is true."""

from __future__ import annotations

import re
import tomllib
from datetime import date

import pytest
from babel.support import NullTranslations
from lxml import html as lxml_html

from mobilizer.appeals.fields import FIELDS
from mobilizer.blasts.mail_checks import contrasts
from mobilizer.catalogs import phrases
from mobilizer.keys import Keyring, Purpose, Ticket
from mobilizer.languages import MEMBER_LANGUAGES, language
from mobilizer.message.compile import CLIPPED_AT, compile_rendition, links_of, templates_folder
from mobilizer.message.compose import html_of, subject_of, text_of
from mobilizer.message.content import Copy, Frame, Recipient, Tokens
from mobilizer.message.rendition import Rendition
from mobilizer.message.templates import template_named
from mobilizer.web.look import OURS

FOLDER = templates_folder()
TEMPLATES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir() and not path.name.startswith("_"))
BASE_URL = "https://mobilizer.test"


def copy_in(tag: str) -> Copy:
    """Words that can't be mistaken for those of the frame."""
    return Copy(
        language=tag,
        title="TITLE & Co",
        subject="SUBJECT",
        preheader="PREHEADER",
        greeting="GREETING {{ first_name }}",
        greeting_nameless="NAMELESS",
        body="BODY <one>\n\n[LINK](https://example.org/more)",
        button="BUTTON",
        poster_alt="PICTURE",
        share_text="SHARE",
    )


def frame_of(template: str, tag: str) -> Frame:
    """A frame with everything in it that a template may show."""
    return Frame(
        template=template,
        base_url=BASE_URL,
        organisation="ORGANISATION",
        postal_address="1 POSTAL Street",
        sender_name="SENDER",
        sender_address="appeals@mobilizer.test",
        reply_to="",
        return_domain="bounce.mobilizer.test",
        brand_colour="#a5123d",
        blast_slug="a-blast",
        poster_url=f"{BASE_URL}/media/poster.jpg",
        poster_width=600,
        poster_height=338,
        video_seconds=120,
        other_languages=tuple(other for other in MEMBER_LANGUAGES if other != tag),
    )


def recipient() -> Recipient:
    """Somebody with a name."""
    keyring = Keyring({1: b"k" * 32}, b"i" * 32)
    tokens = [keyring.token(purpose, Ticket(7, 3)) for purpose in _PURPOSES]
    return Recipient("ana@example.org", "Ana López", date(2026, 3, 4), "LIST", "list", "sharecode2", Tokens(*tokens))


_PURPOSES = (
    Purpose.OPEN, Purpose.CLICK, Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.VIEW, Purpose.BOUNCE,
    Purpose.MESSAGE,
)  # fmt: skip


@pytest.fixture(params=[(name, tag) for name in TEMPLATES for tag in MEMBER_LANGUAGES], ids="-".join)
def rendition(request: pytest.FixtureRequest) -> Rendition:
    """Each template in each language, compiled."""
    template, tag = request.param
    copy = copy_in(tag)
    return compile_rendition(copy, frame_of(template, tag), links_of(copy), phrases("member", tag))


def test_there_is_a_template() -> None:
    assert {"video-appeal", "short-note", "thank-you"} <= set(TEMPLATES)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_one_folder_that_describes_itself(name: str) -> None:
    folder = FOLDER / name
    assert {path.name for path in folder.iterdir()} >= {"subject.txt", "body.html", "body.txt", "about.toml"}
    about = tomllib.loads((folder / "about.toml").read_text("utf-8"))
    assert set(about) == {"name", "description", "fields", "needs"}
    assert set(about["needs"]) <= {"poster", "video"}
    if name in OURS:
        assert (about["name"], about["description"]) == OURS[name], "the catalogs hold the same words"
    assert about["name"]
    assert about["description"].endswith(".")
    without = set() if "poster" in about["needs"] or name == "thank-you" else {"poster_alt"}
    written = {field.name for field in FIELDS if field.required}
    assert set(about["fields"]) == written - without, "fields are those that translators fill"


def test_the_mail_is_marked_as_its_language_everywhere(rendition: Rendition) -> None:
    spoken = language(rendition.language)
    page = lxml_html.document_fromstring(html_of(rendition, recipient()))
    assert (page.get("lang"), page.get("dir")) == (spoken.tag, spoken.direction)
    cells = [cell for cell in page.iter("td") if cell.get("lang")]
    assert cells
    assert {(cell.get("lang"), cell.get("dir")) for cell in cells} == {(spoken.tag, spoken.direction)}


def test_every_picture_has_words_and_every_table_is_for_layout_only(rendition: Rendition) -> None:
    page = lxml_html.document_fromstring(html_of(rendition, recipient()))
    pixel = f"{BASE_URL}/o/{recipient().tokens.open}.gif"
    pictures = {image.get("src"): image for image in page.iter("img")}
    assert pixel in pictures
    for address, image in pictures.items():
        assert image.get("alt") is not None, address
        assert image.get("width"), address
        assert image.get("height"), address
        assert ("PICTURE" in image.get("alt")) is (address != pixel)
    assert {table.get("role") for table in page.iter("table")} == {"presentation"}


def test_both_parts_have_every_way_out_and_the_same_ways_on(rendition: Rendition) -> None:
    person = recipient()
    html, text = html_of(rendition, person), text_of(rendition, person)
    hrefs = {anchor.get("href") for anchor in lxml_html.document_fromstring(html).iter("a")}
    ours = {f"{BASE_URL}/u/{person.tokens.unsubscribe}", f"{BASE_URL}/p/{person.tokens.preferences}"}
    ours |= {f"{BASE_URL}/c/{person.tokens.click}/{n}" for n in (0, 1, 2, 3)}
    view = f"{BASE_URL}/v/{person.tokens.view}"
    ours |= {view, *(f"{view}/{tag}" for tag in MEMBER_LANGUAGES if tag != rendition.language)}
    own = f"{BASE_URL}/s/sharecode2/a-blast"
    assert hrefs == ours | {f"{own}?c=mail"}  # who follows it in the mail is no friend
    hidden = f"{BASE_URL}/c/{person.tokens.click}/0"  # from people, and so not in plain text
    assert set(re.findall(r"https://mobilizer\.test/[^\s)]+", text)) == ours - {hidden} | {own}


def test_the_frame_says_who_writes_and_why(rendition: Rendition) -> None:
    for said in (html_of(rendition, recipient()), text_of(rendition, recipient())):
        for words in ("ORGANISATION", "1 POSTAL Street", "LIST", "TITLE", "GREETING", "Ana", "BUTTON", "SHARE"):
            assert words in said
    assert subject_of(rendition, recipient()) == "SUBJECT"


def test_every_phrase_of_the_frame_is_in_the_mails_own_language(rendition: Rendition) -> None:
    """Compiled in English and in its own language, a mail shares no phrase of the frame but names and numbers."""
    if rendition.language == "en":
        return
    copy, heard = copy_in(rendition.language), Listening()
    compile_rendition(copy, frame_of(rendition.template, rendition.language), links_of(copy), heard)
    said = text_of(rendition, recipient()) + html_of(rendition, recipient())
    assert heard.asked
    for phrase in heard.asked:
        longest = max(re.split(r"%\(\w+\)[sd]", phrase), key=len).strip()
        assert f">{longest}<" not in said
        assert len(longest) < 12 or longest not in said


def test_the_mail_is_small_and_loads_nothing_from_strangers(rendition: Rendition) -> None:
    html = html_of(rendition, recipient())
    assert len(html.encode()) < CLIPPED_AT / 2, "half of what Gmail shows is for the words"
    assert "{{" not in html
    assert "{%" not in html
    loaded = re.findall(r"(?:src|background)=[\"']([^\"']+)|url\(([^)]+)\)", html)
    ours = {f"{BASE_URL}/o/{recipient().tokens.open}.gif"}
    about = template_named(rendition.template)
    assert about is not None
    if "poster_alt" in about.fields:
        ours.add(f"{BASE_URL}/media/poster.jpg")
    assert {one or other for one, other in loaded} == ours


def test_every_word_of_a_mail_stands_out_from_its_ground(rendition: Rendition) -> None:
    page = lxml_html.document_fromstring(html_of(rendition, recipient()))
    assert min(contrasts(page.body, "#000000", "#ffffff"))[0] >= 4.5


class Listening(NullTranslations):
    """A catalog that remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def gettext(self, message: str) -> str:
        self.asked.add(message)
        return message

    ugettext = gettext
