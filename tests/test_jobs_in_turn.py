"""Slices of a blast take a minute each: whatever else there is to do goes before them."""

from __future__ import annotations

import dataclasses

from mobilizer import jobs
from mobilizer.installation import Installation
from mobilizer.jobs import Work


def test_a_launch_a_notice_and_an_import_do_not_stand_behind_the_slices(
    installation: Installation, redis_url: str
) -> None:
    here = dataclasses.replace(installation, settings=installation.settings.model_copy(update={"redis_url": redis_url}))
    for batch in (1, 2, 3):
        assert jobs.enqueue(here, Work.SEND, batch)
    for work in (Work.LAUNCH, Work.NOTICE, Work.IMPORT, Work.RECORD):
        assert jobs.enqueue(here, work, 7)
    waiting = jobs._queue(here.settings).job_ids
    assert set(waiting[:4]) == {"launch-7", "notice-7", "import-7", "record-7"}
    assert waiting[4:] == ["send-1", "send-2", "send-3"]
