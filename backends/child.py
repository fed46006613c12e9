"""A process of our own for work that may crash, hang or fill the memory: started when needed, ended when it has rested.

One order at a time. Frames go both ways: the length of a JSON object as four bytes, the object, and the bytes whose
lengths it names in `blobs`. The other end is `backends/child_side.py`. What happens there is an error here, no more.
Two clocks watch an order: one for words on the work, one for any sign of life, beats included.
"""

import asyncio
import contextlib
import json
import logging
import math
import os
import signal
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from lazy import dataclass
from utils.memory import ended_for_memory

log = logging.getLogger(__name__)

ROOT: Final = Path(__file__).resolve().parents[1]
STOP_WAIT_S: Final = 5.0
PATIENCE_S: Final = 120.0
IDLE_S: Final = 300.0
LOG_LINES: Final = 20  # the last ones of its log are kept for ours
# What a Python needs to start and to find its libraries; keys and tokens stay with the parent.
PASSED_ON: Final = frozenset({
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR", "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES",
})  # fmt: skip

Report = Callable[[Mapping[str, Any]], Awaitable[None]]  # blobs, where there are any, are under "blobs"
Patience = Callable[[], float]  # asked again after each word, since work has its own pace
Frame = tuple[dict[str, Any], tuple[bytes, ...]]


class ChildFailure(StrEnum):
    """The failure of an order."""

    REFUSED = "refused"  # in the child's own words
    MEMORY = "memory"
    CRASHED = "crashed"
    HUNG = "hung"
    FAULT = "fault"  # an error of the child's code


class ChildFailed(Exception):
    """An order could not be carried out. `field` is what of it is wrong, where it was refused."""

    def __init__(self, failure: ChildFailure, message: str, field: str = "") -> None:
        super().__init__(message)
        self.failure = failure
        self.field = field


@dataclass(frozen=True, kw_only=True)
class ChildAnswer:
    """The result of an order: plain values, and bytes."""

    values: Mapping[str, Any]
    blobs: tuple[bytes, ...] = field(default=(), repr=False)


class Child:
    """Runs `python -m module` and gives it one order after the other.

    Args:
        module: what runs there; it calls `child_side.serve`.
        idle_s: seconds without an order after which it ends, so that its memory is free again.
        patience_s: seconds without a word in the middle of an order after which it is ended.
        silence_s: the same without any sign of life, for a child that beats.
        variables: what its environment has besides.
    """

    def __init__(
        self,
        module: str,
        *,
        idle_s: float = IDLE_S,
        patience_s: float | Patience = PATIENCE_S,
        silence_s: float = math.inf,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._module = module
        self._idle_s = idle_s
        self._patience: Patience = patience_s if callable(patience_s) else lambda: patience_s
        self._silence_s = silence_s
        self._variables = dict(variables or {})
        self._turn = asyncio.Lock()
        self._process: _Process | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process that is there now, if any."""
        return self._process.pid if self._process else None

    async def ask(
        self, order: Mapping[str, Any], blobs: Sequence[bytes] = (), report: Report | None = None
    ) -> ChildAnswer:
        """Have one order carried out; `report` is awaited with each word on the way.

        Cancelled, it has the work stopped, and kills the process where that takes too long.

        Raises:
            ChildFailed: it could not; after a crash the next order starts a new process.
        """
        async with self._turn:
            self._stay()
            try:
                return await self._ask(order, blobs, report)
            finally:
                self._rest = asyncio.get_running_loop().call_later(self._idle_s, self._end_idle)

    async def _ask(self, order: Mapping[str, Any], blobs: Sequence[bytes], report: Report | None) -> ChildAnswer:
        rested = self._process
        process = await self._running()
        process.has_spoken = False
        try:
            await process.send(order, blobs)
            return await self._answer(process, report)
        except asyncio.CancelledError:
            await self._stop(process)
            raise
        except TimeoutError as error:
            await self._kill()
            raise ChildFailed(ChildFailure.HUNG, str(error)) from error
        except (EOFError, OSError, ValueError) as error:
            failed = await self._crashed(process)
            if process is rested and not process.has_spoken:
                return await self._ask(order, blobs, report)  # it may have been gone before: a new one tells
            raise failed from error

    async def rest(self) -> None:
        """Let the process end once it has carried out what it was asked for: its memory is free again."""
        async with self._turn:
            self._stay()
            process, self._process = self._process, None
            if process is not None:
                await process.finished()

    async def aclose(self) -> None:
        self._stay()
        await self._kill()
        if self._ending is not None:
            await self._ending

    async def _running(self) -> "_Process":
        if self._process is None or not self._process.is_alive:
            await self._kill()
            self._process = await _Process.start(self._module, self._variables)
            log.debug("child process started", extra={"action": "child_started", "child": self._module})
        return self._process

    async def _answer(self, process: "_Process", report: Report | None) -> ChildAnswer:
        clock = asyncio.get_running_loop().time
        patience_s, since = self._patience(), clock()
        while True:
            left_s = max(0.0, since + patience_s - clock())
            try:
                async with asyncio.timeout(min(left_s, self._silence_s)):
                    values, blobs = await process.receive()
            except TimeoutError as error:
                waited_s = min(patience_s, self._silence_s)
                raise TimeoutError(f"no word for {waited_s:.0f} s") from error  # no text: for the log
            if "beat" in values:
                continue
            if failed := values.get("error"):
                raise ChildFailed(ChildFailure(failed["failure"]), failed["message"], failed.get("field", ""))
            if values.get("is_done"):
                return ChildAnswer(values=values, blobs=blobs)
            if report is not None:
                await report({**values, "blobs": blobs} if blobs else values)
            patience_s, since = self._patience(), clock()

    async def _stop(self, process: "_Process") -> None:
        """Have the order that is under way stopped, or end the process."""
        try:
            async with asyncio.timeout(STOP_WAIT_S):
                await process.send({"stop": True})
                with contextlib.suppress(ChildFailed):
                    await self._answer(process, None)
        except (TimeoutError, EOFError, OSError, ValueError):
            await self._kill()
        except asyncio.CancelledError:
            await self._kill()
            raise

    async def _crashed(self, process: "_Process") -> ChildFailed:
        self._process = None
        code = await process.ended()
        fields = {"action": "child_crashed", "child": self._module, "code": code}
        log.warning("a child process ended in the middle: %s", " / ".join(process.last_lines), extra=fields)
        # nobody here sends SIGKILL and goes on waiting: the system does so when memory runs out, and counts it
        before, now = process.ended_before, ended_for_memory()
        is_counted = before is None or now is None or now > before
        is_out_of_memory = os.name != "nt" and code == -signal.SIGKILL and is_counted
        return ChildFailed(
            ChildFailure.MEMORY if is_out_of_memory else ChildFailure.CRASHED, f"ended with {code}"
        )  # no text: for the log

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.ended()

    def _stay(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _end_idle(self) -> None:
        self._rest = None
        if not self._turn.locked():
            process, self._process = self._process, None
            self._ending = asyncio.create_task(process.finished()) if process else None


class _Process:
    """One process with its streams. A task reads whole frames, so that a cancelled order leaves none half read."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.last_lines: deque[str] = deque(maxlen=LOG_LINES)
        self.has_spoken = False  # since the last order
        self.ended_before = ended_for_memory()
        self._process = process
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._reading = (asyncio.create_task(self._read_frames()), asyncio.create_task(self._read_log()))

    @classmethod
    async def start(cls, module: str, variables: Mapping[str, str]) -> Self:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name.upper() in PASSED_ON} | dict(variables),
            start_new_session=True,  # Ctrl+C is for the parent, which lets running work end
        )
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None and not self._reading[0].done()

    async def send(self, values: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> None:
        assert self._process.stdin is not None
        head = json.dumps({**values, "blobs": [len(blob) for blob in blobs]}).encode()
        self._process.stdin.write(struct.pack(">I", len(head)) + head)
        for blob in blobs:
            self._process.stdin.write(blob)
        await self._process.stdin.drain()

    async def receive(self) -> Frame:
        """Wait for the next frame.

        Raises:
            EOFError: there will be none.
        """
        frame = await self._frames.get()
        if frame is None:
            raise EOFError
        self.has_spoken = self.has_spoken or "beat" not in frame[0]
        return frame

    async def ended(self) -> int:
        """End it, and what it has started, at once if not all has ended by itself; return its exit code.

        What a library forked there holds the same pipes: who waits for their end would wait for that.
        """
        if not all(reading.done() for reading in self._reading):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                _kill_all_of(self._process)
        code = await self._process.wait()
        await asyncio.gather(*self._reading)
        return code

    async def finished(self) -> None:
        """Let it go: without orders to come it ends by itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(STOP_WAIT_S):
                await self._process.wait()
        except TimeoutError:
            pass
        await self.ended()

    async def _read_frames(self) -> None:
        assert self._process.stdout is not None
        stream = self._process.stdout
        try:
            while True:
                (length,) = struct.unpack(">I", await stream.readexactly(4))
                values = json.loads(await stream.readexactly(length))
                blobs = [await stream.readexactly(size) for size in values.pop("blobs", ())]
                self._frames.put_nowait((values, tuple(blobs)))
        except (EOFError, OSError, ValueError):
            self._frames.put_nowait(None)

    async def _read_log(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(ValueError):  # a line without end
            while line := await self._process.stderr.readline():
                self.last_lines.append(line.decode(errors="replace").rstrip())


def _kill_all_of(process: asyncio.subprocess.Process) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)  # it leads a session of its own, so these are its group
    else:
        process.kill()
