"""`mobilizer bench watch`: whatever it says of speed, whole pages were answered."""

from __future__ import annotations

from mobilizer.bench import watching
from mobilizer.installation import Installation


def test_whole_pages_are_answered(installation: Installation) -> None:
    figures = watching.run(installation, 100)
    assert figures.books
    assert figures.pages_per_second > 0
    assert figures.page_bytes < 60_000
