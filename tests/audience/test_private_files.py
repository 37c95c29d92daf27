"""Files of people from the command line: there whole or not at all, and for their owner's eyes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilizer.cli.private_files import private_file


def test_a_file_comes_to_its_place_when_it_is_whole(tmp_path: Path) -> None:
    place = tmp_path / "members.csv"
    with private_file(place) as out:
        out.write("ana@example.org\n")
        out.flush()
        assert not place.exists(), "a process that is killed here leaves no half"
    assert place.read_text() == "ana@example.org\n"
    assert place.stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError), private_file(place) as out:
        pass
    with pytest.raises(KeyboardInterrupt), private_file(place, replace=True) as out:  # noqa: PT012 - it stops in the middle
        out.write("half")
        raise KeyboardInterrupt
    assert place.read_text() == "ana@example.org\n"
    assert list(tmp_path.iterdir()) == [place], "nothing is left beside it"
    with private_file(place, replace=True) as out:
        out.write("anew")
    assert place.read_text() == "anew"
