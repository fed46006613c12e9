"""The backup that admins download: all of it, for them alone, and nothing stays behind on the disk."""

from pathlib import Path

from store import backup
from store.backup import DataFolder
from store.folder import DATABASE_NAME
from store.restore import restore_backup
from tests.api.conftest import site_at


def left_in(folder: Path) -> list[Path]:
    return [*folder.glob(".easel-backup-*")]


async def test_an_admin_downloads_what_restore_takes(site, tmp_path: Path) -> None:
    job = await site.draw()
    answer = await site.client.get("/api/backup")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/gzip"
    assert answer.headers["content-disposition"].startswith('attachment; filename="easel-2')
    assert len(answer.content) == int(answer.headers["content-length"])
    path = tmp_path / "got.tar.gz"
    path.write_bytes(answer.content)
    assert left_in(site.easel.settings.storage.data_dir) == []
    new = tmp_path / "new"
    data = DataFolder(folder=new, pictures=new / "media_cache", more={})
    restore_backup(path, data, now=site.easel.clock.now(), has_own_key=True, is_replacing=False)
    key = (site.easel.settings.storage.data_dir / "secret.key").read_text()
    async with site_at(new, SECRET_KEY=key) as other:
        there = (await other.client.get(f"/api/jobs/{job['id']}")).json()
        assert there["status"] == "done"
        picture = await other.client.get(there["images"][0]["url"])
        assert picture.content == (await site.client.get(job["images"][0]["url"])).content


async def test_a_backup_is_for_admins_alone(site) -> None:
    somebody = await site.session_client("discord:5")
    assert (await somebody.get("/api/backup")).status_code == 403
    assert (await site.visitor().get("/api/backup")).status_code in (401, 403)


async def test_without_room_a_backup_is_refused_in_words_and_leaves_nothing(site, monkeypatch) -> None:
    monkeypatch.setattr(backup, "free_bytes", lambda _folder: 1024**2)
    answer = await site.client.get("/api/backup")
    assert answer.status_code == 400
    assert "MB left" in answer.json()["error"]
    folder = site.easel.settings.storage.data_dir
    assert str(folder) not in answer.text
    assert left_in(folder) == []
    assert (folder / DATABASE_NAME).exists()
