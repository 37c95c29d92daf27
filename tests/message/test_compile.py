"""The compiled mail: what every e-mail program needs is in it, in every language and direction."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import css_inline
import pytest
from jinja2 import Environment
from lxml import html as lxml_html

from mobilizer.catalogs import phrases
from mobilizer.colours import contrast, ink_on, readable
from mobilizer.languages import language as language_of
from mobilizer.message import compile as compiling
from mobilizer.message.compile import CLIPPED_AT, CompileError, compile_rendition, links_of, templates_folder
from mobilizer.message.compose import html_of, text_of
from mobilizer.message.content import Copy, LinkTarget
from mobilizer.message.context import DARK_CARD, duration, wire_url
from mobilizer.message.fonts import font_stack
from tests.message.samples import COPIES, LANGUAGES, frame, recipient, rendition


def page(language: str = "en", name: str = "Ana Silva", **changes: object) -> str:
    return html_of(rendition(language, **changes), recipient(name))


def compiled(copy: Copy, **changes: object) -> str:
    made = compile_rendition(copy, frame(**changes), links_of(copy), phrases("member", copy.language))
    return html_of(made, recipient())


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_and_direction_are_said_on_the_page_and_on_each_outer_cell(language: str) -> None:
    tree = lxml_html.fromstring(page(language))
    direction = language_of(language).direction
    assert (tree.get("lang"), tree.get("dir")) == (language, direction)
    for cell in tree.xpath("//td[contains(@class, 'words') or @class='footer' or @class='share' or @class='outer']"):
        assert (cell.get("lang"), cell.get("dir")) == (language, direction)
    aligned = "right" if direction == "rtl" else "left"
    assert f"text-align:{aligned}" in tree.xpath("//td[@class='words']")[0].get("style").replace(" ", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_are_for_layout_and_pictures_have_sizes_and_words(language: str) -> None:
    tree = lxml_html.fromstring(page(language))
    assert all(table.get("role") == "presentation" for table in tree.iter("table"))
    poster, pixel = tree.iter("img")
    assert (poster.get("width"), poster.get("height")) == ("600", "338")
    assert COPIES[language].poster_alt in poster.get("alt")
    assert duration(120, language) in poster.get("alt")
    assert (pixel.get("width"), pixel.get("height"), pixel.get("alt")) == ("1", "1", "")
    assert poster.getparent().get("href") == tree.xpath("//a[@class='button']")[0].get("href")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_other_languages_stand_by_their_own_names(language: str) -> None:
    tree = lxml_html.fromstring(page(language))
    found = {a.get("lang"): (a.text, a.get("dir")) for a in tree.xpath("//a[@hreflang]")}
    others = [language_of(tag) for tag in LANGUAGES if tag != language]
    assert found == {other.tag: (other.own_name, other.direction) for other in others}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_frame_speaks_the_language_alone(language: str) -> None:
    english = {"Unsubscribe", "View in the browser", "Ready to copy and send:"}
    shown = {phrase for phrase in english if phrase in page(language)}
    assert shown == (english if language == "en" else set())


def test_rules_for_dark_and_phones_outlive_the_inliner() -> None:
    source = page("ar")
    assert '<meta name="color-scheme" content="light dark">' in source
    assert "@media (prefers-color-scheme: dark)" in source
    assert "@media (max-width: 620px)" in source
    assert source.count("!important") > 30
    assert "[data-ogsc] h1" in source
    assert "var(" not in source
    assert "<!--[if mso]><v:roundrect" in source
    assert "<!--[if !mso]><!-->" in source
    assert 'bgcolor="#ffffff"' in source


def test_the_preheader_comes_first_and_is_hidden_with_padding_that_nobody_hears() -> None:
    body = page().partition("<body")[2]
    hidden = body.index("display:none")
    assert hidden < body.index(COPIES["en"].preheader) < body.index("Lights On")
    assert '<span aria-hidden="true">' in body


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_stays_far_below_what_mailboxes_clip(language: str) -> None:
    assert rendition(language).html_bytes < CLIPPED_AT / 3
    assert abs(rendition(language).html_bytes - len(page(language).encode())) < 1000


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_inliner_agrees_with_another_one(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = lxml_html.fromstring(page(language))
    # The block that stays rules has another mark there.
    marked = lambda source: source.replace("data-premailer", "data-css-inline")  # noqa: E731
    monkeypatch.setattr(compiling, "inlined", lambda source: css_inline.inline(marked(source)))
    theirs = lxml_html.fromstring(page(language))
    # The other one writes the table bodies that HTML implies.
    pairs = list(zip(ours.body.iter("*"), (e for e in theirs.body.iter("*") if e.tag != "tbody"), strict=True))
    assert len(pairs) > 60
    for one, other in pairs:
        assert one.tag == other.tag
        assert declarations(one.get("style")) == declarations(other.get("style")), lxml_html.tostring(one)[:200]


def declarations(style: str | None) -> dict[str, str]:
    found = {}
    for declaration in (style or "").replace("&quot;", '"').split(";"):
        name, colon, value = declaration.partition(":")
        value = re.sub(r"#([0-9a-f])([0-9a-f])([0-9a-f])\b", r"#\1\1\2\2\3\3", value)
        if colon:
            found[name.strip()] = re.sub(r"\s+", " ", value.replace('"', "'").replace(", ", ",")).strip()
    return found


@pytest.mark.parametrize("brand", ["#a5123d", "#000000", "#ffffff", "#ffd400", "#0a7f3f", "#808080", "#0000ff"])
def test_any_brand_colour_gives_text_that_can_be_read(brand: str) -> None:
    assert contrast(ink_on(brand), brand) >= 4.5
    assert contrast(readable(brand, "#ffffff"), "#ffffff") >= 4.5
    dark = readable(brand, DARK_CARD)
    assert contrast(dark, DARK_CARD) >= 4.5
    assert contrast(ink_on(dark), dark) >= 4.5


def test_every_pair_of_ink_and_ground_in_the_sheets_can_be_read() -> None:
    for ink in ("#4a4a55", "#5b5b66", "#44444e"):
        assert contrast(ink, "#f0f0f3") >= 4.5
    for ink in ("#33333b", "#17171c", "#5b5b66"):
        assert contrast(ink, "#ffffff") >= 4.5
    for ink in ("#dcdce3", "#f6f6f9", "#a9a9b5"):
        assert contrast(ink, DARK_CARD) >= 4.5
    for ink in ("#c3c3cd", "#a9a9b5"):
        assert contrast(ink, "#121215") >= 4.5


def test_what_an_organizer_writes_cannot_become_html() -> None:
    nasty = '<img src=x onerror=alert(1)> "quoted" & </td>'
    copy = Copy("en", nasty, nasty, nasty, nasty, nasty, nasty + "\n\n[x](javascript:alert(1))", nasty, nasty, nasty)
    tree = lxml_html.fromstring(compiled(copy, organisation=nasty, postal_address=nasty))
    assert len(list(tree.iter("img"))) == 2
    assert not tree.xpath("//@onerror")
    assert not [href for href in tree.xpath("//@href") if href.startswith("javascript")]
    assert tree.xpath("//h1")[0].text_content() == nasty


def test_unknown_and_broken_tags_stop_the_compilation_and_are_all_named() -> None:
    copy = replace(COPIES["en"], subject="{{ nickname }}", body="{{ first_name", title="{% if %}")
    with pytest.raises(CompileError) as refusal:
        compile_rendition(copy, frame(), links_of(copy), phrases("member", "en"))
    assert {(p.where, p.code) for p in refusal.value.problems} == {
        ("subject", "tags.unknown"),
        ("body", "tags.syntax"),
        ("title", "tags.syntax"),
    }


def test_a_tag_inside_a_link_is_refused_for_a_link_is_the_same_for_all() -> None:
    copy = replace(COPIES["en"], body="[here](https://example.org/{{name}})")
    with pytest.raises(CompileError, match=re.escape("https://example.org/")):
        compile_rendition(copy, frame(), links_of(copy), phrases("member", "en"))


def test_a_link_that_the_blast_does_not_list_is_refused() -> None:
    with pytest.raises(CompileError, match=re.escape("story.example.org")):
        compile_rendition(COPIES["en"], frame(), [LinkTarget("watch"), LinkTarget("share")], phrases("member", "en"))


def test_links_are_the_pages_of_our_own_then_the_bodys_in_order_each_once() -> None:
    b_link, a_link, mail = "(https://b.example/?x=1&y=2)", "<https://a.example/>", "(mailto:x@y.z)"
    copy = replace(COPIES["en"], body=f"[b]{b_link} {a_link} [again]{b_link} [m]{mail}")
    assert links_of(copy) == (
        LinkTarget("watch"),
        LinkTarget("share"),
        LinkTarget("url", "https://b.example/?x=1&y=2"),
        LinkTarget("url", "https://a.example/"),
    )


def test_a_links_number_is_its_place_in_the_blasts_list_whatever_the_language_uses() -> None:
    links = [LinkTarget("url", "https://elsewhere.example/"), *reversed(links_of(COPIES["fr"]))]
    made = compile_rendition(COPIES["fr"], frame("fr"), links, phrases("member", "fr"))
    assert re.search(r"lisez son histoire \(https://act\.example\.org/c/\w+/2\)", text_of(made, recipient()))
    assert re.search(r"Voir le film.*\n\S+/c/\w+/4", text_of(made, recipient()))


def test_a_mail_without_poster_or_length_or_address_still_stands() -> None:
    source = page(poster_url="", video_seconds=0, postal_address="", other_languages=())
    assert "<img" in source, "the open pixel"
    assert "/media/" not in source
    assert "another language" not in source


def test_fonts_suit_the_script() -> None:
    assert "Noto Sans Arabic" in page("ar")
    assert font_stack("Hebr") != font_stack("Latn") == font_stack("Cyrl")


def test_lengths_are_said_in_the_languages_own_plural() -> None:
    lengths = [duration(seconds, "ar") for seconds in (60, 120, 180, 660)]
    assert lengths == ["دقيقة", "دقيقتان", "3 دقائق", "11 دقيقة"]
    assert duration(45, "es") == "45 segundos"
    assert duration(0, "en") == ""


def test_an_international_host_goes_as_a_labels_into_every_link() -> None:
    assert wire_url("https://bücher.example:8443/") == "https://xn--bcher-kva.example:8443"
    assert "bücher" not in page(base_url="https://bücher.example")


def test_templates_are_found_in_the_repository() -> None:
    assert (templates_folder() / "video-appeal" / "about.toml").is_file()


def test_the_code_of_a_template_is_worked_out_once_for_all_languages_and_anew_where_it_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copytree(templates_folder(), folder := tmp_path / "email")
    monkeypatch.setattr(compiling, "templates_folder", lambda: folder)
    worked_out: list[str] = []
    usual: Any = Environment.compile

    def noted(self: Environment, source: str, name: str, *more: object) -> Any:
        worked_out.append(name)
        return usual(self, source, name, *more)

    monkeypatch.setattr(Environment, "compile", noted)
    compiled(COPIES["en"])
    assert worked_out
    del worked_out[:]
    compiled(COPIES["ar"])
    compiled(replace(COPIES["en"], subject="In other words"))
    assert worked_out == []
    subject = folder / frame().template / "subject.txt"
    subject.write_text("Changed: " + subject.read_text())
    made = compile_rendition(COPIES["en"], frame(), links_of(COPIES["en"]), phrases("member", "en"))
    assert str(made.subject[0]).startswith("Changed: ")
    assert worked_out == [f"{frame().template}/subject.txt"]
