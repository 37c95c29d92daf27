"""What breaks in a worker is told by its kind: RQ prints and keeps an error's words, and they may name a person."""

from __future__ import annotations

import traceback

import pytest

from mobilizer import jobs
from mobilizer.installation import Installation


def test_work_that_breaks_tells_the_queue_its_kind_and_no_words(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_installation: Installation, _number: int) -> None:
        raise ValueError("cannot read ana@example.org")

    monkeypatch.setattr(jobs, "_installation", installation)
    monkeypatch.setattr(jobs, "run_import", breaks)
    with pytest.raises(jobs.WorkFailed) as failed:
        jobs.perform("import", 1)
    kept = "".join(traceback.format_exception(failed.value))
    assert "ValueError" in kept
    assert "ana@example.org" not in kept
