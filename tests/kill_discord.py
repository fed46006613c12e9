"""`kill -9` and SIGTERM within the first second, again and again, while people ask for pictures in a slow Discord.

A seed decides who asks for what and when each life of Easel ends; the same seed gives the same moments again. Each
request has a person of its own, whom its answer mentions, so that answers can be counted. A request counts from the
moment Easel has stored it or told its person anything; what it never heard is not its fault.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cogs.posting import ASKING
from store.folder import DATABASE_NAME
from tests.discord_server import DiscordServer, Interaction, Message
from tests.discord_server.user import NotPossible, User
from tests.e2e.harness import COMMANDS, reply_to
from tests.e2e.pictures import png
from tests.easel_process import Begin, EaselProcess

DELAY_S = 0.3
SLOW = ("/interactions/*", "/webhooks/*", "/channels/*", "/attachments/*")
LONGEST_LIFE_S = 1.0
LONGEST_GAP_S = 0.12
STOPS_IN_ORDER = 0.2  # how many of the lives end by SIGTERM
READY_WAIT_S = 30.0
REPEAT = 3
SIZE = "--size 64x64 --steps 3"
KINDS = (
    "dream", "picture", "private", "repeat", "compare", "slash", "slash-picture", "slash-private", "slash-repeat",
    "slash-compare", "reroll", "edit", "upscale",
)  # fmt: skip
JOBS = {"repeat": REPEAT, "slash-repeat": REPEAT, "compare": 2, "slash-compare": 2}
ANSWERS = {"repeat": REPEAT, "slash-repeat": REPEAT}


@dataclass(kw_only=True)
class Request:
    """The request of one person, and what Discord knows of it."""

    kind: str
    user: User
    asked: Message | Interaction | None = None
    opened: bool = False  # an edit whose form came

    @property
    def id(self) -> str:
        return str(self.asked.id) if self.asked else ""

    @property
    def is_acknowledged(self) -> bool:
        if isinstance(self.asked, Message):
            return reply_to(self.asked) is not None or bool(self.user.dms)
        return self.asked is not None and self.asked.callback_type is not None


@dataclass(kw_only=True)
class Counted:
    """The findings of a run. The lists have to be empty."""

    requests: int = 0
    unheard: int = 0  # asked of a process that was killed before it read them; nobody was told anything
    kills: int = 0
    stops: int = 0
    at_four_stops: int = 0  # jobs that were running at four stops, so they may have been the cause
    unanswered: int = 0  # stored, but acknowledged too late: their answers came as messages of their own
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, list[str]]:
        return {name: found for name in ("lost", "doubled", "stuck") if (found := getattr(self, name))}

    def __str__(self) -> str:
        counts = {name: len(value) if isinstance(value, list) else value for name, value in vars(self).items()}
        return ", ".join(f"{count} {name}" for name, count in counts.items())


class DiscordLoop:
    """One run on one folder: lives of Easel, one after the other."""

    def __init__(self, discord: DiscordServer, folder: Path, begin: Begin, *, requests: int, seed: int) -> None:
        self._discord, self._folder, self._begin = discord, folder, begin
        self._wanted = requests
        self._chance = random.Random(seed)
        self._requests: list[Request] = []
        self._asking: set[asyncio.Task[None]] = set()
        self._bases: list[Message] = []
        self._counted = Counted()

    async def run(self) -> Counted:
        process = await self._start()
        await self._make_bases()
        faults = [self._discord.fail("*", path, delay_s=DELAY_S / 2, late_s=DELAY_S / 2, times=None) for path in SLOW]
        while len(self._requests) < self._wanted:
            await self._live()
            await self._end(process)
            process = await self._start()
        await asyncio.gather(*self._asking)
        for fault in faults:
            fault.remove()
        with suppress(TimeoutError):  # what is still open then is counted as lost
            async with asyncio.timeout(30 + self._wanted / 5):
                await self._settle()
        process.send_signal(signal.SIGTERM)
        await process.wait()
        return self._count()

    async def _start(self) -> EaselProcess:
        settings = {
            "DISCORD_TOKEN": self._discord.token, "DISCORD_API_URL": self._discord.api_url,
            "DATA_DIR": str(self._folder / "data"), "BACKENDS": "brush,pen", "BRUSH_KIND": "sketch",
            "PEN_KIND": "sketch", "BRUSH_CONCURRENCY": "2", "PEN_CONCURRENCY": "2", "MAX_QUEUE_SIZE": "100000",
            "MAX_RUNNING_JOBS": "8", "GRACEFUL_STOP": "5", "PING_AFTER": "0",
        }  # fmt: skip
        process = self._begin(**settings)
        await self._discord.wait_commands(COMMANDS, READY_WAIT_S)
        return process

    async def _make_bases(self) -> None:
        """Let there be pictures to press buttons under."""
        owner = self._discord.user("owner")
        asked = [await owner.say(self._discord.channel, f"!dream base {number} {SIZE}") for number in range(3)]
        await self._discord.wait_for(lambda: all(is_done(reply_to(item)) for item in asked), READY_WAIT_S)
        self._bases = [item for item in map(reply_to, asked) if item]

    async def _live(self) -> None:
        """Ask one after the other until the moment has come."""
        left_s = self._chance.uniform(0.0, LONGEST_LIFE_S)
        while True:
            request = self._next()
            task = asyncio.create_task(self._ask(request))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
            gap_s = self._chance.uniform(0.0, LONGEST_GAP_S)
            if gap_s > left_s:
                await asyncio.sleep(left_s)
                return
            await asyncio.sleep(gap_s)
            left_s -= gap_s

    async def _end(self, process: EaselProcess) -> None:
        if self._chance.random() < STOPS_IN_ORDER:
            self._counted.stops += 1
            process.send_signal(signal.SIGTERM)
        else:
            self._counted.kills += 1
            process.kill()
        await process.wait()

    def _next(self) -> Request:
        number = len(self._requests)
        # who edits another's picture moderates
        user = self._discord.add_user(f"user{number}", admin=True)
        self._requests.append(Request(kind=KINDS[number % len(KINDS)], user=user))
        return self._requests[-1]

    async def _ask(self, request: Request) -> None:
        user, channel, prompt = request.user, self._discord.channel, f"{request.user.name} fox {SIZE}"
        base = self._bases[len(self._requests) % len(self._bases)]
        kind, _, what = request.kind.rpartition("-")
        with suppress(NotPossible):  # no process is there to offer the command
            if kind == "slash" or request.kind == "slash":
                await self._slash(request, prompt, what)
            elif request.kind == "upscale":
                await self._note(request, user.slash(channel, "upscale", image=("cat.png", png())))
            elif request.kind == "reroll":
                await self._note(request, user.click(base, "Re-roll"))
            elif request.kind == "edit":
                opened = await user.click(base, "Remix")
                values = {"Prompt": prompt, "Seed (empty: a new one)": ""}
                if opened.modal and self._discord.gateway.live:
                    await self._note(request, user.submit(opened.modal, values))
            else:
                request.asked = await self._say(request, prompt)

    async def _say(self, request: Request, prompt: str) -> Message:
        options = {"repeat": f" --repeat {REPEAT}", "private": " --private"}
        command = "!compare" if request.kind == "compare" else "!dream"
        files = [("cat.png", png())] if request.kind == "picture" else []
        text = f"{command} {prompt}{options.get(request.kind, '')}"
        return await request.user.say(self._discord.channel, text, attachments=files)

    async def _slash(self, request: Request, prompt: str, what: str) -> None:
        options: dict[str, Any] = {"prompt": prompt}
        if what == "picture":
            options["image"] = ("cat.png", png())
        if what == "private":
            options["private"] = True
        if what == "repeat":
            options["prompt"] += f" --repeat {REPEAT}"
        name = "compare" if what == "compare" else "generate"
        await self._note(request, request.user.slash(self._discord.channel, name, **options))

    async def _note(self, request: Request, press: Any) -> None:
        known = set(self._discord.interactions)
        task = asyncio.ensure_future(press)
        await asyncio.sleep(0)  # it is sent before it first waits
        new = [token for token in self._discord.interactions if token not in known]
        request.asked = self._discord.interactions[new[0]] if new else None
        request.asked = await task

    async def _settle(self) -> None:
        """Wait until nothing is open, waiting, running or still to be told."""
        open_sql = "SELECT count(*) FROM intakes WHERE ended_at IS NULL"
        due_sql = "SELECT count(*) FROM jobs WHERE finished_at IS NULL OR delivered_at IS NULL"
        while any(row[0] for sql in (open_sql, due_sql) for row in self._rows(sql)):
            await asyncio.sleep(0.05)

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self._folder / "data" / DATABASE_NAME, timeout=10)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def _count(self) -> Counted:
        counted = self._counted
        stored = {row[0] for row in self._rows("SELECT id FROM intakes")}
        jobs = Counter(row[0] for row in self._rows("SELECT user_key FROM jobs"))
        stopped_sql = "SELECT count(*) FROM jobs WHERE json_extract(error, '$.code') = 'interrupted'"
        counted.at_four_stops = self._rows(stopped_sql)[0][0]
        for request in self._requests:
            name = f"{request.kind} of {request.user.name}"
            seen = self._messages_of(request)
            if request.id not in stored:
                if request.is_acknowledged and request.asked:
                    counted.lost.append(f"{name}: acknowledged, not stored")
                counted.unheard += 1
                continue
            counted.requests += 1
            counted.unanswered += not request.is_acknowledged
            wanted, made = JOBS.get(request.kind, 1), jobs[f"discord:{request.user.id}"]
            done, answers = sum(map(is_done, seen)), ANSWERS.get(request.kind, 1)
            if made < wanted or done < answers:
                counted.lost.append(f"{name}: {made} of {wanted} jobs, {done} of {answers} answers")
            if made > wanted or done > answers:
                where = [(item.id, item.reference is not None, item.interaction is not None) for item in seen]
                counted.doubled.append(f"{name}: {made} for {wanted} jobs, {done} for {answers} answers, {where}")
        for message in [*self._discord.channel.messages, *(dm for item in self._requests for dm in item.user.dms)]:
            if message.author.bot and (message.loading or message.content == ASKING or not is_done(message)):
                counted.stuck.append(f"{message.interaction or message.reference}: {message.content!r}")
        return counted

    def _messages_of(self, request: Request) -> Sequence[Message]:
        mention = f"<@{request.user.id}>"
        own = [item for item in self._discord.channel.messages if item.author.bot and mention in item.content]
        return [*own, *request.user.dms]


def is_done(message: Message | None) -> bool:
    """Return whether a message shows its picture, or that it was given up, and nothing more will come."""
    if message is None or "Cancel" in message.buttons:
        return False
    return bool(message.attachments) or "Run again" in message.buttons
