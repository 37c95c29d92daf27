"""House: no template says a word by itself. Whatever a person reads comes from a catalog, or from data."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from jinja2 import Environment

from tests.house.reading import ROOT

FOLDERS = ("mobilizer/web/templates", "mobilizer/public/templates", "templates/email")
TEMPLATES = sorted(
    path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in (".html", ".txt")
)
READ_OUT = {"alt", "title", "aria-label", "aria-description", "aria-roledescription", "placeholder", "summary"}
# Said alike in every language: names, signs and units that no catalog changes.
SAID_AS_IT_IS = {"UTC", "https", "B", "I", "K", "Message-ID", "email"}
# Parts of templates that are put into a tag or a style sheet.
UNREAD = re.compile(
    r"{%-? set \w+ -?%}.*?{%-? endset -?%}|{%-? block (?:kind|size|styles|overrides) -?%}.*?{%-? endblock -?%}",
    re.DOTALL,
)
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


class Reader(HTMLParser):
    """Collects the words that somebody would read: text and the attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("style", "script", "code")
        self.words += [word for name, value in attrs if name in READ_OUT for word in WORD.findall(value or "")]

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("style", "script", "code") and self.silent > 0

    def handle_data(self, data: str) -> None:
        self.words += [] if self.silent else WORD.findall(data)


def bare_words(source: str) -> set[str]:
    """The words of a template that no Jinja says."""
    tokens = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).lex(UNREAD.sub("", source))
    reader = Reader()
    reader.feed("".join(value if kind == "data" else " " * (kind == "variable_end") for _line, kind, value in tokens))
    reader.close()
    return set(reader.words) - SAID_AS_IT_IS


def test_no_template_says_a_word_by_itself() -> None:
    found = {str(path.relative_to(ROOT)): bare_words(path.read_text("utf-8")) for path in TEMPLATES}
    assert len(found) > 80
    assert {name: words for name, words in found.items() if words} == {}, "put them into _()"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Save</p>", {"Save"}),
        ('<a title="Go {{ there }}">{{ _("Go") }}</a>', {"Go"}),
        ("{# A note #}<p class='x'>{{ _('Save') }} · {% if a %}–{% endif %}</p><style>p {}</style>", set()),
        ("<img alt='{{ a }}'{% if b %} hidden{% endif %}><!-- why -->", set()),
    ],
)
def test_the_eye_for_bare_words_sees_what_it_should(source: str, found: set[str]) -> None:
    assert bare_words(source) == found
