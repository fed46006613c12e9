"""Keep a database of this Easel as a small fixture, by which later versions are tried: run it before a release.

    python -m scripts.keep_database              writes tests/data/store/steps/LAST_STEP.sqlite3.gz
    python -m scripts.keep_database --of DIR     the same by the Easel in another checkout

Easel fills the file itself, by its API: jobs that are done, cancelled, running and waiting, private ones, a
favourite. It is killed while it draws, so the file is one that a crash left.
"""

import argparse
import gzip
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
KEPT = HERE / "tests" / "data" / "store" / "steps"
KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="  # of nobody's: what is sealed in a fixture must be read again
WAIT_S = 60.0
LONG_S = "60"  # for one picture: it is being drawn when Easel is killed


def main() -> int:
    """Run Easel twice in a folder of its own, and keep what it leaves."""
    parser = argparse.ArgumentParser(description="keep a database of Easel as a fixture")
    parser.add_argument("--of", type=Path, default=HERE, help="another checkout of Easel")
    of = parser.parse_args().of
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with easel(of, folder, SKETCH_DELAY_S="0") as ask:
            fill(ask)
        with easel(of, folder, SKETCH_DELAY_S=LONG_S, MAX_RUNNING_PER_USER="1") as ask:
            leave_open(ask)
        path = keep(folder / "easel.sqlite3")
    print(f"{path.relative_to(HERE)}: {path.stat().st_size} bytes")
    return 0


Ask = Callable[..., Any]


@contextmanager
def easel(of: Path, folder: Path, **more: str) -> Iterator[Ask]:
    """Start Easel, and kill it in the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "PATH": os.environ["PATH"], "DATA_DIR": str(folder), "SECRET_KEY": KEY, "WEB": "true", "PORT": str(port),
        "PROBE_LOCAL_PORTS": "false", "GRACEFUL_STOP": "0", **more,
    }  # fmt: skip

    def ask(path: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
        address = f"http://127.0.0.1:{port}{path}"
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(address, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    command = [sys.executable, str(of / "main.py"), "start"]
    with (folder / "log").open("ab") as log, subprocess.Popen(
        command, cwd=folder, env=settings, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    ) as process:  # fmt: skip
        try:
            until(lambda: answers(ask) or process.poll() is not None)
            if process.poll() is not None:
                raise SystemExit((folder / "log").read_text()[-2000:])
            yield ask
        finally:
            process.kill()


def answers(ask: Ask) -> bool:
    try:
        ask("/healthz")
    except (OSError, urllib.error.URLError):
        return False
    return True


def until(is_so: Callable[[], Any]) -> None:
    """Wait until something has come about."""
    end = time.monotonic() + WAIT_S
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit("Easel took too long")
        time.sleep(0.05)


def fill(ask: Ask) -> None:
    """Leave what has ended."""
    fox = drawn(ask, prompt="a red fox in the snow", negative_prompt="blur", seed=812)
    drawn(ask, text="a quiet lake --private")
    drawn(ask, prompt="four owls", batch_size=2)
    ask(f"/api/favorites/{fox}-1", method="PUT")


def leave_open(ask: Ask) -> None:
    """Leave what runs, what waits and what was cancelled."""
    running = asked(ask, prompt="a mill that turns")
    until(lambda: state(ask, running) == "running")
    asked(ask, prompt="a boat that waits")
    asked(ask, text="a secret that waits --private")
    ask(f"/api/jobs/{asked(ask, prompt='a kite that nobody wants')}/cancel", {})


def drawn(ask: Ask, **values: Any) -> str:
    job = asked(ask, **values)
    until(lambda: state(ask, job) == "done")
    return job


def asked(ask: Ask, **values: Any) -> str:
    small = {"width": 64, "height": 64, "steps": 4}
    return str(ask("/api/jobs", small | values)["jobs"][0]["id"])


def state(ask: Ask, job: str) -> str:
    return str(ask(f"/api/jobs/{job}")["status"])


def keep(database: Path) -> Path:
    """Put all of a database into one small file, named after its last step."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        names = sorted(row[0] for row in connection.execute("SELECT name FROM migrations"))
        connection.execute("VACUUM")
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{names[-1]}.sqlite3.gz"
    path.write_bytes(gzip.compress(database.read_bytes(), mtime=0))
    return path


if __name__ == "__main__":
    sys.exit(main())
