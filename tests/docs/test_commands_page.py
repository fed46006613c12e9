"""docs/commands.md is what the bot registers with Discord."""

from scripts import write_commands


async def test_the_page_of_commands_is_that_of_the_code():
    assert write_commands.PAGE.read_text(encoding="utf-8") == await write_commands.page(), (
        "run python -m scripts.write_commands"
    )
