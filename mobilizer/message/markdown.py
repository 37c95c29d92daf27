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


def _blocks(tokens: list[Token], relink: Relink) -> Iterator[str]:
    """One string a block; items of one list share a block, as its lines."""
    lists: list[list[int | None]] = []
    marker, quoted, items = "", 0, list[str]()
    for token in tokens:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                lists.append([int(token.attrs.get("start", 1)) if token.tag == "ol" else None])
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
                if not lists:
                    yield "\n".join(items)
                    items = []
            case "list_item_open":
                marker = _marker(lists[-1])
            case "blockquote_open":
                quoted += 1
            case "blockquote_close":
                quoted -= 1
            case "inline" | "fence" | "code_block":
                words = _inline(token.children or [], relink) if token.children else token.content.strip()
                if lists:
                    items.append("  " * (len(lists) - 1) + (marker or "  ") + words)
                    marker = ""
                else:
                    yield "\n".join("> " * quoted + line for line in words.split("\n"))
            case "hr":
                yield "---"


def _marker(counter: list[int | None]) -> str:
    number = counter[0]
    if number is None:
        return "- "
    counter[0] = number + 1
    return f"{number}. "


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
