"""The letters of a sign-up as they arrive: nothing that a visitor typed, the film they came by, links of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import html as lxml_html
from sqlalchemy import update

from mobilizer.appeals.appeals import Translation
from mobilizer.audience.lists import MemberList
from mobilizer.audience.members import Identity, Member
from mobilizer.blasts.blasts import Blast
from mobilizer.message import letter as drawing
from mobilizer.message.plain import PlainMail
from mobilizer.signups import asking, confirming, dressed, letters
from tests.public.conftest import World

SITE = "http://mobilizer.test"


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[PlainMail]:
    """The letters that the relay takes."""
    taken: list[PlainMail] = []
    monkeypatch.setattr(letters, "hand_over", lambda _, mail: "Accepted" if taken.append(mail) is None else "")
    return taken


def wish(world: World, tag: str = "es", *, address: str = "mira@example.org", confirmed: bool = True) -> int:
    """Somebody's sign-up for the first list, by no film."""
    here = world.installation
    said = asking.Wish(world.lists[0], Identity(address, "TYPED"), tag, "Yes.", "en", channel="sms")
    with here.database.write() as session:
        number = asking.ask(session, here.keyring, said)
        if confirmed:
            confirming.confirm(session, here.keyring, number)
    return number


def code_of(world: World, address: str = "mira@example.org") -> str:
    with world.installation.database.read() as session:
        key = world.installation.keyring.address_key(address)
        return session.query(Member.share_code).filter(Member.address_key == key).scalar() or ""


def links_in(mail: PlainMail) -> set[str]:
    return {one.get("href") or "" for one in lxml_html.document_fromstring(mail.html).iter("a")}


def test_the_letter_to_confirm_has_one_link_no_picture_and_no_word_that_was_typed(
    world: World, posted: list[PlainMail]
) -> None:
    letters.send(world.installation, wish(world, confirmed=False))
    (mail,) = posted
    (link,) = links_in(mail)
    assert link.startswith(f"{SITE}/k/")
    assert link in mail.text
    for trace in ("<img", "url(", "TYPED", "mira@", "/o/", "/c/"):
        assert trace not in mail.html.replace("url=no", "")


@pytest.mark.parametrize(("tag", "shown"), [("es", "es"), ("ar", "ar"), ("de", "en")])
def test_the_welcome_has_the_latest_film_and_links_of_their_own(
    world: World, posted: list[PlainMail], tag: str, shown: str
) -> None:
    letters.send(world.installation, wish(world, tag))
    (mail,) = posted
    code = code_of(world)
    page = f"{SITE}/w/love-always-wins/{shown}/{code}?own=1"
    links = links_in(mail)
    assert {page, f"{page}#share", f"{SITE}/s/{code}/love-always-wins?c=mail", mail.unsubscribe} <= links
    assert len([link for link in links if link.startswith(f"{SITE}/p/")]) == 1
    document = lxml_html.document_fromstring(mail.html)
    (poster,) = document.iter("img")
    assert (poster.getparent().get("href"), document.get("lang")) == (page, tag)
    browser = world.browser(accept_language=tag)
    assert browser.get(page.removeprefix(SITE)).status_code == 200
    assert browser.get((poster.get("src") or "").removeprefix(SITE)).status_code == 200
    assert "/o/" not in mail.html
    assert "/c/" not in mail.html


def test_who_is_on_the_list_gets_no_film(world: World, posted: list[PlainMail]) -> None:
    letters.send(world.installation, wish(world, address="ana@example.org", confirmed=False))
    assert "<img" not in posted[0].html
    assert posted[0].unsubscribe in links_in(posted[0])


def test_a_film_whose_picture_is_gone_is_there_without_it(world: World, posted: list[PlainMail]) -> None:
    for file in world.installation.settings.media.iterdir():
        file.unlink()
    letters.send(world.installation, wish(world))
    assert "<img" not in posted[0].html
    assert f"{SITE}/w/love-always-wins/es/{code_of(world)}?own=1" in links_in(posted[0])


def test_words_of_a_film_in_a_letter_have_no_merge_tags(world: World, posted: list[PlainMail]) -> None:
    with world.installation.database.write() as session:
        session.execute(
            update(Translation).values(share_text='{{ first_name | "Amiga" }}, <b>mira</b> {{ organisation }}')
        )
    letters.send(world.installation, wish(world))
    organisation = world.installation.settings.organisation
    (quote,) = lxml_html.document_fromstring(posted[0].html).xpath('//div[contains(@class, "quote")]')
    assert quote.text == f"Amiga, <b>mira</b> {organisation}"


def test_of_a_discreet_list_a_letter_is_plain(world: World, posted: list[PlainMail]) -> None:
    with world.installation.database.write() as session:
        session.execute(update(MemberList).values(discreet=True))
    for confirmed in (False, True):
        letters.send(world.installation, wish(world, address=f"p{confirmed}@example.org", confirmed=confirmed))
    assert [mail.html for mail in posted] == ["", ""]


def test_a_letter_never_names_a_film_that_went_out_discreetly(world: World, posted: list[PlainMail]) -> None:
    with world.installation.database.write() as session:
        session.execute(update(Blast).values(frozen_tracking="pseudonymous", frozen_discreet=True))
    letters.send(world.installation, wish(world))
    assert "love-always-wins" not in posted[0].html + posted[0].text


@pytest.mark.parametrize("whose", ["list", "member"])
def test_where_nothing_is_counted_no_link_to_the_film_is_anybodys_own(
    world: World, posted: list[PlainMail], whose: str
) -> None:
    number = wish(world)
    with world.installation.database.write() as session:
        session.execute(
            update(MemberList).values(tracking="off") if whose == "list" else update(Member).values(tracking=False)
        )
    letters.send(world.installation, number)
    assert code_of(world) not in posted[0].html + posted[0].text
    assert f"{SITE}/w/love-always-wins/es" in links_in(posted[0])


def test_a_flood_of_letters_is_drawn_once(
    world: World, posted: list[PlainMail], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    inlined = drawing.inlined
    monkeypatch.setattr(drawing, "inlined", lambda html: drawn.append(html) or inlined(html))
    dressed._compiled.cache_clear()
    for n in range(6):
        letters.send(world.installation, wish(world, ("es", "ar")[n % 2], address=f"p{n}@example.org", confirmed=False))
    assert len(posted) == 6
    assert len(drawn) == 2
    assert len({tuple(links_in(mail)) for mail in posted}) == 6
    here = world.installation
    changed = replace(here, settings=here.settings.model_copy(update={"organisation": "Renamed"}))
    letters.send(changed, wish(world, address="last@example.org", confirmed=False))
    assert "Renamed" in posted[-1].html
