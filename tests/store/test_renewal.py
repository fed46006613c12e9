"""A new key for what is sealed: everything is sealed again with it, whatever cuts that off."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

import store.folder as folder_module
from store.connections import ConnectionStore
from store.folder import KEY_NAME, OLD_KEY_NAME, PartMissing, open_store, renew_key
from store.jobs import JobStore
from store.migrations import easel_steps
from store.seals import SEALED
from store.webhooks import Hook, WebhookStore
from tests.store.conftest import make_job
from tests.store.test_folder import CONNECTION, NOW, open_and_close
from utils.secrets import write_keys


async def sealed_all_over(folder: Path) -> None:
    """Make a folder with something sealed at each place where there can be."""
    database, box = await open_store(folder, folder / "media_cache", "", now=NOW)
    await ConnectionStore(database, box).save(CONNECTION)
    await WebhookStore(database, box).save_hook(
        Hook(id="h", url="https://a.example", events=frozenset(), created_at=NOW)
    )
    job = make_job("job1")
    await JobStore(database, box).insert(replace(job, origin=replace(job.origin, reply_token="tok")))
    await database.close()


async def texts(folder: Path, key: str = "") -> list[str]:
    """Return what can be read of that."""
    database, box = await open_store(folder, folder / "media_cache", key, now=NOW, renews=True)
    hooks = await database.fetch("SELECT url FROM webhooks")
    job = await JobStore(database, box).get("job1")
    found = [item.key for item in await ConnectionStore(database, box).all()]
    await database.close()
    assert job
    return [*found, box.unseal(hooks[0]["url"]), job.origin.reply_token]


ALL = [CONNECTION.key, "https://a.example", "tok"]


async def test_every_sealed_column_is_known_to_a_renewal() -> None:
    scripts = "\n".join(easel_steps().values())
    commented = set(re.findall(r"^ +(\w+) .*-- sealed", scripts, re.MULTILINE))
    assert commented <= {column for __, __, columns in SEALED for column in columns}


async def test_a_new_key_seals_everything_and_the_former_one_opens_nothing(tmp_path: Path) -> None:
    await sealed_all_over(tmp_path)
    former = (tmp_path / KEY_NAME).read_text()
    await renew_key(tmp_path, tmp_path / "media_cache", now=NOW)
    assert (tmp_path / KEY_NAME).read_text() != former
    assert len((tmp_path / KEY_NAME).read_text()) == 44
    assert (tmp_path / OLD_KEY_NAME).read_text() == former
    assert await texts(tmp_path) == ALL
    (tmp_path / KEY_NAME).write_text(former)
    with pytest.raises(PartMissing, match="is not the key"):
        await open_and_close(tmp_path)


@pytest.mark.parametrize("stage", ["write_keys", "SealStore.renew", "after"])
async def test_a_renewal_that_was_cut_off_goes_on_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    await sealed_all_over(tmp_path)
    former = (tmp_path / KEY_NAME).read_text()
    calls = iter(range(9))

    def cut_off(*_: object) -> None:
        if stage == "write_keys" or next(calls) > 0:
            raise InterruptedError

    with monkeypatch.context() as patched:
        if stage == "after":
            patched.setattr(folder_module, "write_keys", lambda *given: (cut_off(), write_keys(*given)))
        else:
            next(calls)
            patched.setattr(f"store.folder.{stage}", cut_off)
        with pytest.raises(InterruptedError):
            await renew_key(tmp_path, tmp_path / "media_cache", now=NOW)
    assert await texts(tmp_path) == ALL
    key = (tmp_path / KEY_NAME).read_text()
    assert len(key) == 44
    assert (key == former) == (stage == "write_keys")


async def test_a_key_of_the_settings_is_renewed_by_both_in_a_row(tmp_path: Path) -> None:
    await sealed_all_over(tmp_path)
    former, new = (tmp_path / KEY_NAME).read_text(), Fernet.generate_key().decode()
    (tmp_path / KEY_NAME).unlink()
    assert await texts(tmp_path, f"{new},{former}") == ALL
    assert await texts(tmp_path, new) == ALL
    with pytest.raises(PartMissing, match="SECRET_KEY is not the key"):
        await open_and_close(tmp_path, former)
