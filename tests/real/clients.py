"""A throw-away environment with OpenAI's own package, and programs that run in it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.real.apps import ENVIRONMENTS

HERE = Path(__file__).parent
PACKAGES = ("openai==3.57.0",)


def environment() -> Path:
    """Return the interpreter of the environment, made where it is not there yet."""
    folder = ENVIRONMENTS / ".venv-openai"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "installed"
    if not done.exists():
        uv = (sys.executable, "-m", "uv")
        subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
        subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, *PACKAGES], check=True)
        done.touch()
    return python


async def run(program: str, *arguments: str) -> bytes:
    """Run a program of this folder to its end, and return what it printed."""
    python = await asyncio.to_thread(environment)
    process = await asyncio.create_subprocess_exec(
        python, HERE / program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()[-2000:]
    return out


@asynccontextmanager
async def running(program: str, *arguments: str) -> AsyncIterator[str]:
    """Run a server of this folder; the first line that it prints is its address."""
    python = await asyncio.to_thread(environment)
    process = await asyncio.create_subprocess_exec(
        python, "-u", HERE / program, *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.communicate()
