"""Message: Markdown, as far as a mail needs it. To clean HTML, to honest plain text, and the links in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(["image", "html_block", "html_inline"])
_TAGS = {"a", "blockquote", "br", "code", "em", "h2", "h3", "hr", "li", "ol", "p", "pre", "strong", "ul"}
_HEADINGS = {"h1": "h2", "h4": "h3", "h5": "h3", "h6": "h3"}

Relink = Callable[[str], str]


def links(text: str) -> tuple[str, ...]:
    """The web addresses that a text links to, in order of appearance, each once."""
    hrefs = (str(token.attrs["href"]) for token in _walk(_PARSER.parse(text)) if token.type == "link_open")
    return tuple(dict.fromkeys(href for href in hrefs if is_web(href)))


def is_web(href: str) -> bool:
    """Whether a link leads to the web: only such links are counted; mailto: and tel: stay as they are."""
    return href.lower().startswith(("https://", "http://"))


def to_html(text: str, relink: Relink) -> str:
    """Clean HTML: no raw HTML, no pictures, headings from h2 down; `relink` says where each web link leads."""
    tokens = _PARSER.parse(text)
    for token in _walk(tokens):
        token.tag = _HEADINGS.get(token.tag, token.tag)
        if token.type == "link_open" and is_web(str(token.attrs["href"])):
            token.attrs["href"] = relink(str(token.attrs["href"]))
    rendered = str(_PARSER.renderer.render(tokens, _PARSER.options, {}))
    return nh3.clean(
        rendered, tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto", "tel"}, link_rel=None
    ).strip()


def to_text(text: str, relink: Relink) -> str:
    """The same words as plain text: a list has dashes or numbers, a link its address behind it."""
    return "\n\n".join(block for block in _blocks(_PARSER.parse(text), relink) if block)


class _Outline:
    """Where in its lists and quotations a block of text stands, and so what goes before it."""

    def __init__(self) -> None:
        self.lists: list[int | None] = []
        self.quoted = 0
        self.marker = ""

    def follow(self, token: Token) -> None:
        """Take one opening or closing token into account."""
        match token.type:
            case "bullet_list_open":
                self.lists.append(None)
            case "ordered_list_open":
                self.lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
            case "list_item_open":
                self.marker = self._next_marker()
            case "blockquote_open" | "blockquote_close":
                self.quoted += token.nesting

    def placed(self, words: str) -> str:
        """A block's words with their marks."""
        if self.lists:
            before = "  " * (len(self.lists) - 1) + (self.marker or "  ")
            self.marker = ""
            return before + words
        return "\n".join("> " * self.quoted + line for line in words.split("\n"))

    def _next_marker(self) -> str:
        number = self.lists[-1]
        if number is None:
            return "- "
        self.lists[-1] = number + 1
        return f"{number}. "


def _blocks(tokens: list[Token], relink: Relink) -> Iterator[str]:
    """One string a block; items of one list share a block, as its lines."""
    outline, items = _Outline(), list[str]()
    for token in tokens:
        outline.follow(token)
        if token.type == "inline":
            items.append(outline.placed(_inline(token.children or [], relink)))
        elif token.type in ("fence", "code_block"):
            items.append(outline.placed(token.content.strip()))
        elif token.type == "hr":
            items.append("---")
        if not outline.lists and items:
            yield "\n".join(items)
            items = []


def _inline(tokens: Iterable[Token], relink: Relink) -> str:
    words, href, since = "", "", 0
    for token in tokens:
        if token.type == "link_open":
            href, since = str(token.attrs["href"]), len(words)
        elif token.type == "link_close":
            words = words[:since] + _linked(words[since:], href, relink)
        elif token.type in ("softbreak", "hardbreak"):
            words += "\n"
        else:
            words += token.content
    return words


def _linked(words: str, href: str, relink: Relink) -> str:
    address = relink(href) if is_web(href) else href.partition(":")[2]
    # A bare address as its own words would stand there twice.
    return address if words.strip() in (href, href.removesuffix("/"), address) else f"{words} ({address})"


def _walk(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _walk(token.children or [])
