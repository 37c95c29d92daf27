"""Markdown becomes clean HTML and honest text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mobilizer.message.markdown import links, to_html, to_text


def same(href: str) -> str:
    return href


def test_links_lead_where_they_are_told_to() -> None:
    assert to_html("[a](https://x.example/?a=1&b=2)", lambda href: f"/{len(href)}") == '<p><a href="/26">a</a></p>'


def test_no_raw_html_no_pictures_no_scripts() -> None:
    rendered = to_html("<b>x</b> ![p](https://x.example/p.png) [j](javascript:x) <script>", same)
    assert (
        rendered
        == '<p>&lt;b&gt;x&lt;/b&gt; !<a href="https://x.example/p.png">p</a> [j](javascript:x) &lt;script&gt;</p>'
    )


def test_headings_start_below_the_title() -> None:
    assert to_html("# A\n\n##### B", same) == "<h2>A</h2>\n<h3>B</h3>"


def test_text_keeps_lists_quotations_and_where_links_lead() -> None:
    source = (
        "# Title\n\nSome **bold** and `code`,\nnext line.\n\n- one\n- two [x](https://x.example/)\n  - deeper\n\n"
        "3. three\n4. four\n\n> quoted\n> words\n\n---\n\n<https://bare.example/> "
        "[write](mailto:us@x.example)\n\n```\na  b\n```"
    )
    assert to_text(source, lambda href: href.upper()).split("\n\n") == [
        "Title",
        "Some bold and code,\nnext line.",
        "- one\n- two x (HTTPS://X.EXAMPLE/)\n  - deeper",
        "3. three\n4. four",
        "> quoted\n> words",
        "---",
        "HTTPS://BARE.EXAMPLE/ write (us@x.example)",
        "a  b",
    ]


@given(st.text(max_size=200))
def test_whatever_is_written_compiles_and_its_links_agree(source: str) -> None:
    met: list[str] = []

    def relink(href: str) -> str:
        met.append(href)
        return "https://counted.example/"

    to_html(source, relink)
    assert tuple(dict.fromkeys(met)) == links(source)
    to_text(source, relink)
