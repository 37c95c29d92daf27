"""What kind of program asked: programs by the data and by their own word, and nobody's phone among them."""

from __future__ import annotations

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from mobilizer.engagement.agents import agent_of, class_of

ANDROID = "Mozilla/5.0 (Linux; Android 15; CPH2557 Build/AP3A.240617.008; wv) AppleWebKit/537.36 Mobile Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({"X-Moz": "prefetch"}, "prefetch"),
        ({"X-Purpose": "preview"}, "prefetch"),
        ({"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, "bot"),
        ({"User-Agent": "TelegramBot (like TwitterBot)"}, "bot"),
        ({"User-Agent": "WhatsApp/2.24.20.89 A"}, "bot"),
        ({"User-Agent": "Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)"}, "bot"),
        ({"User-Agent": f"{IPHONE} facebookexternalhit/1.1 Facebot Twitterbot/1.0"}, "bot"),  # a card of iMessage
        ({"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1"}, ""),
        ({"User-Agent": "Mozilla/5.0 (Linux; Android 16; CUBOT X30) Chrome/140.0 Mobile"}, ""),
        ({"User-Agent": " "}, "nameless"),
    ],
)
def test_a_program_is_known_by_a_class_and_a_browser_by_none(headers: dict[str, str], rule: str) -> None:
    assert agent_of({f"HTTP_{name.upper().replace('-', '_')}": said for name, said in headers.items()}) == rule


@pytest.mark.parametrize(
    "app",
    ["MetaIAB Facebook", "[FBAN/FBIOS;FBAV/489.0]", "Instagram 358.0.0.30.98", "Snapchat/12.64.0.39 (like Safari/8616)",
     "Line/14.1.0/IAB", "MicroMessenger/8.0.42", "KAKAOTALK/10.4.3", "musical_ly_32.5.0", "Viber/21.0", "Bluesky/1.90",
     "Telegram-Android/10.1 (Samsung; Android 13)", "WhatsApp/2.24", "Twitter for iPhone/10.1", "[LinkedInApp]/9.29"],
)  # fmt: skip
def test_who_follows_a_link_inside_an_app_is_a_person_whatever_the_data_says(app: str) -> None:
    """Friends come from there: two of these are crawlers to the data, one as all phones of a make."""
    assert [class_of(f"{phone} {app}") for phone in (ANDROID, IPHONE)] == ["", ""]


def test_what_the_data_knows_is_known_all_the_same() -> None:
    said = [name for one in CRAWLER_USER_AGENTS_DATA for name in one.get("instances", ())]
    assert sum(class_of(name) in ("bot", "proxy") for name in said) > 0.99 * len(said)
