"""Backups at intervals: when they are due, across restarts, how many stay, and what happens when one fails."""

import asyncio
import logging
from pathlib import Path

import pytest

from services import backups
from services.backups import BackupService, data_of
from settings.storage import StorageSettings
from store.backup import BackupRefused
from store.folder import open_store
from tests.fakes import FakeClock
from tests.waiting import until

HOUR_S = 3600.0


@pytest.fixture
async def settings(tmp_path: Path) -> StorageSettings:
    made = StorageSettings(data_dir=tmp_path, backup_every_s=24 * HOUR_S, backup_keep=2)
    database, _ = await open_store(tmp_path, made.media_folder, "", now=FakeClock().now())
    await database.close()
    return made


@pytest.fixture
async def loops_of():
    """Run a service's loop until the test is over."""
    tasks: list[asyncio.Task[None]] = []
    yield lambda run: tasks.append(asyncio.create_task(run()))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def at_rest(clock: FakeClock) -> None:
    """Wait until the service sleeps: what it does in a thread is over."""
    await until(lambda: any(not sleeper.done() for _, _, sleeper in clock._sleepers))


async def pass_hours(clock: FakeClock, hours: int) -> None:
    for _ in range(hours):
        await at_rest(clock)
        await clock.advance(HOUR_S)
    await at_rest(clock)


def names(settings: StorageSettings) -> list[str]:
    return sorted(path.name for path in settings.backup_folder.iterdir()) if settings.backup_folder.exists() else []


async def test_a_backup_is_written_when_the_interval_is_over_and_the_oldest_go(settings, loops_of) -> None:
    clock = FakeClock()
    loops_of(BackupService(settings, clock).run)
    await at_rest(clock)
    await clock.advance(61)
    await at_rest(clock)
    assert [name[:18] for name in names(settings)] == ["easel-20260101-000"]
    (settings.backup_folder / "mine.tar.gz").write_text("somebody's own")
    (settings.backup_folder / "easel-by-hand.tar.gz").write_text("somebody's own")
    await pass_hours(clock, 3 * 24 + 2)
    assert [name[:14] for name in names(settings)] == [
        "easel-20260103", "easel-20260104", "easel-by-hand.", "mine.tar.gz",
    ]  # fmt: skip


async def test_a_restart_does_not_begin_the_interval_again(settings, loops_of) -> None:
    clock = FakeClock()
    first = asyncio.create_task(BackupService(settings, clock).run())
    await at_rest(clock)
    await clock.advance(61)
    await at_rest(clock)
    first.cancel()
    await clock.advance(20 * HOUR_S)
    loops_of(BackupService(settings, clock).run)
    await pass_hours(clock, 3)
    assert len(names(settings)) == 1
    await pass_hours(clock, 2)
    assert len(names(settings)) == 2


async def test_a_backup_that_failed_is_told_and_tried_again_after_an_hour(
    settings, loops_of, monkeypatch, caplog
) -> None:
    clock, calls = FakeClock(), []

    def refuse(*args: object, **values: object) -> None:
        calls.append(clock.now())
        raise BackupRefused("The disk has 1 MB left.")

    monkeypatch.setattr(backups, "write_backup", refuse)
    with caplog.at_level(logging.ERROR):
        loops_of(BackupService(settings, clock).run)
        await at_rest(clock)
        await clock.advance(61)
        await at_rest(clock)
        await clock.advance(HOUR_S - 10)
        assert len(calls) == 1
        await clock.advance(20)
        await until(lambda: len(calls) == 2)
    assert "the backup into" in caplog.text
    assert "1 MB left" in caplog.text


def test_without_an_interval_no_backup_is_written(tmp_path: Path) -> None:
    assert not BackupService(StorageSettings(data_dir=tmp_path), FakeClock()).is_on


def test_what_people_put_into_the_folder_is_part_of_a_backup(tmp_path: Path) -> None:
    data = data_of(StorageSettings(data_dir=tmp_path))
    assert data.more == {"wildcards": tmp_path / "wildcards", "styles.json": tmp_path / "styles.json"}
