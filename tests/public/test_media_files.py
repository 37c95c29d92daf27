"""Media: only what was kept, for ever the same, in ranges, never anything else of the disk."""

from __future__ import annotations

import pytest

from tests.public.conftest import CLIP, World


def names(world: World) -> dict[str, str]:
    return {path.suffix: path.name for path in world.installation.settings.media.iterdir()}


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [(".mp4", "video/mp4"), (".jpg", "image/jpeg"), (".vtt", "text/vtt; charset=utf-8")],
)
def test_a_kept_file_is_served_with_its_type_for_ever(world: World, suffix: str, kind: str) -> None:
    answer = world.browser().get(f"/media/{names(world)[suffix]}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_a_video_can_be_sought(world: World) -> None:
    answer = world.browser(range="bytes=100-199").get(f"/media/{names(world)['.mp4']}")
    assert answer.status_code == 206
    assert answer.data == CLIP[100:200]
    assert answer.headers["Content-Range"] == f"bytes 100-199/{len(CLIP)}"


def test_a_file_known_already_is_not_sent_again(world: World) -> None:
    client = world.browser()
    tag = client.get(f"/media/{names(world)['.jpg']}").headers["ETag"]
    assert client.get(f"/media/{names(world)['.jpg']}", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    "name",
    [
        "../keys.json",
        "..%2Fkeys.json",
        "%2e%2e%2fkeys.json",
        ".hidden.jpg",
        "a.html",
        "x" * 40 + ".jpg",
        "0" * 40 + ".jpg",
    ],
)
def test_nothing_else_is_served(world: World, name: str) -> None:
    (world.installation.settings.home / "keys.json").write_text("secret")
    answer = world.browser().get(f"/media/{name}")
    assert answer.status_code == 404
    assert b"secret" not in answer.data
