"""The invite link of docs/discord-setup.md asks for what its table says."""

import re
from pathlib import Path

import nextcord

from cogs.origin import NEEDED

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "discord-setup.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([\w ]+) \| (\d+) \| (\d+) \|", PAGE, re.MULTILINE)
LINK = re.search(r"scope=(\S+)&permissions=(\d+)", PAGE)


def test_the_link_asks_for_the_sum_of_its_table():
    assert all(1 << int(bit) == int(value) for _, bit, value in ROWS)
    assert LINK
    assert LINK.groups() == ("bot+applications.commands", str(sum(int(value) for *_, value in ROWS)))
    asked = nextcord.Permissions(int(LINK[2]))
    assert all(getattr(asked, name) for name in (*NEEDED, "send_messages_in_threads", "embed_links", "manage_messages"))
    assert not asked.administrator
    assert not asked.add_reactions
    without = nextcord.Permissions(274878024704)
    assert without.value == asked.value - 8192


def test_the_env_file_is_kept_out_of_git():
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
