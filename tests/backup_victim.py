"""A process to be killed that writes or puts back a backup: `backup_victim backup|restore FOLDER FILE`.

It prints "ready" when it begins and "done" when it is there.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from store.backup import DataFolder, write_backup
from store.restore import restore_backup


def main(task: str, folder: Path, file: Path) -> None:
    data = DataFolder(folder=folder, pictures=folder / "media_cache", more={"wildcards": folder / "wildcards"})
    print("ready", flush=True)
    if task == "backup":
        write_backup(data, file, version="1.2.3", now=datetime.now(UTC), with_key=False)
    else:
        restore_backup(file, data, now=datetime.now(UTC), has_own_key=True, is_replacing=True)
    print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
