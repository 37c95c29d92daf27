"""Players of other sites: which pages we can show one for, and nothing else gets into a header."""

from __future__ import annotations

import pytest

from mobilizer.public.players import player

PEER = "https://peertube.example/videos/embed/kkGMgK9ZtnKfYAgnEtQxbv?autoplay=1&p2p=0&subtitle=es"


@pytest.mark.parametrize(
    ("link", "site", "ends"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=3", "https://www.youtube-nocookie.com", "cc_lang_pref=es"),
        ("https://youtu.be/dQw4w9WgXcQ?si=abc", "https://www.youtube-nocookie.com", "cc_lang_pref=es"),
        ("https://m.youtube.com/shorts/dQw4w9WgXcQ", "https://www.youtube-nocookie.com", "cc_lang_pref=es"),
        ("https://vimeo.com/76979871/8272103f6e", "https://player.vimeo.com", "texttrack=es&h=8272103f6e"),
        ("https://archive.org/details/a.trip_1902", "https://archive.org", "/embed/a.trip_1902?autoplay=1"),
        ("https://peertube.example/w/kkGMgK9ZtnKfYAgnEtQxbv", "https://peertube.example", PEER),
        ("https://peertube.example/videos/watch/kkGMgK9ZtnKfYAgnEtQxbv", "https://peertube.example", PEER),
    ],
)
def test_a_known_sites_player_is_found(link: str, site: str, ends: str) -> None:
    found = player(link, "es", captions=True)
    assert found is not None
    assert found.site == site
    assert found.address.startswith(site + "/")
    assert found.address.endswith(ends)


@pytest.mark.parametrize(
    "link",
    [
        "https://example.org/film",
        "https://www.youtube.com/",
        "https://www.youtube.com/watch?v=",
        "https://www.youtube.com/watch?v=a%22b%3Bc",
        "https://vimeo.com/about",
        "https://evil.example;script-src *.example/w/kkGMgK9ZtnKfYAgnEtQxbv",
        "https://peertube.example:8443/w/kkGMgK9ZtnKfYAgnEtQxbv",
        "https://peertube.example/w/kkGMgK9Ztn KfYAgnEtQxbv",
        "",
    ],
)
def test_any_other_page_is_opened_where_it_is(link: str) -> None:
    assert player(link, "es", captions=False) is None
