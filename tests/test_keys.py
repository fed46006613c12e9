"""`python main.py key`: made, listed and revoked from the command line."""

import pytest
from cryptography.fernet import Fernet

from app.cli import parse
from console.keys import KeyCommand, manage
from services.web import make_access
from store.database import Database
from store.migrations import easel_steps
from tests.fakes import FakeClock
from utils.secrets import SecretBox


@pytest.fixture
async def access(tmp_path):
    database = await Database.open(tmp_path / "easel.sqlite3", migrations=easel_steps())
    yield make_access(database, SecretBox(Fernet.generate_key()), FakeClock())
    await database.close()


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("list", KeyCommand(action="list")),
        ("revoke ab12", KeyCommand(action="revoke", name="ab12")),
        ("create ci", KeyCommand(action="create", name="ci")),
        (
            "create my ci --scopes read,admin --rate=30 --user discord:7",
            KeyCommand(
                action="create",
                name="my ci",
                scopes=("read", "admin"),
                rate_per_minute=30.0,
                user_key="discord:7",
            ),
        ),
    ],
)
def test_what_is_typed_is_read(words, command):
    assert parse(["key", *words.split()]).key == command


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("", "Say what to do: create, list, revoke, renew, reset."),
        ("revoke", "ID is missing. Write: python main.py key revoke ID"),
        ("remove x", "There is no command remove."),
        ("creat x", "Did you mean create?"),
        ("create", "NAME is missing. Write: python main.py key create"),
        ("create x --scopes", "--scopes needs a value."),
        ("create x --rate many", "not many"),
        ("create x --colour red", "There is no option --colour."),
    ],
)
def test_what_cannot_be_understood_is_said(words, reply):
    asked = parse(["key", *words.split()])
    assert asked.name == "nonsense"
    assert reply in asked.text


async def test_a_key_is_made_shown_once_listed_and_revoked(access, capsys):
    assert await manage(access, KeyCommand(action="list")) == 0
    assert "There are no keys" in capsys.readouterr().out
    assert await manage(access, KeyCommand(action="create", name="ci", rate_per_minute=30)) == 0
    token = capsys.readouterr().out.strip()
    caller = await access.verify_key(token)
    assert caller.name == "ci"
    await manage(access, KeyCommand(action="list"))
    listed = capsys.readouterr().out
    assert "read, generate" in listed
    assert "in use" in listed
    assert token not in listed
    key_id = caller.user_id
    assert await manage(access, KeyCommand(action="revoke", name=key_id)) == 0
    assert await access.verify_key(token) is None
    assert await manage(access, KeyCommand(action="revoke", name=key_id)) == 1
    await manage(access, KeyCommand(action="list"))
    assert "revoked 2026-01-01 00:00" in capsys.readouterr().out


async def test_a_scope_that_is_none_is_refused_with_those_there_are(access, capsys):
    assert await manage(access, KeyCommand(action="create", name="ci", scopes=("write",))) == 2
    assert "read, generate, admin, not write" in capsys.readouterr().err
