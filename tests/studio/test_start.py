"""Easel as `make run` starts it with no settings: the address it prints leads to a picture in two clicks."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path

import main
from tests.easel_process import free_port
from tests.studio.marks import studio_tests
from tests.studio.pages import button, finished

pytestmark = studio_tests(__name__)

START_S = 30


async def test_a_start_without_settings_leads_to_a_picture_in_two_clicks(browse, tmp_path: Path):
    environ = {"PATH": os.environ["PATH"], "PORT": str(free_port()), "PROBE_LOCAL_PORTS": "false"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-u",
        str(Path(main.__file__)),
        cwd=tmp_path,
        env=environ,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        assert process.stdout
        printed = ""
        async with asyncio.timeout(START_S):
            while not (address := re.search(r"http://127\.0\.0\.1:\d+/", printed)):
                line = await process.stdout.readline()
                assert line, printed
                printed += line.decode()
        page = await browse("", url=address[0])
        await page.get_by_role("button", name="a red fox asleep").click()
        await button(page, "Generate").click()
        await finished(page)
        await page.context.close()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert list((tmp_path / "data").iterdir())
