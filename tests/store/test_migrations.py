"""The steps of the store: frozen, in order, safe to interrupt; and files from before they had numbers and hashes."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from store.database import Database, DatabaseForeign, DatabaseTooNew
from store.history import OLD_NAMES
from store.migrations import cache_steps, easel_steps
from tests.store.test_database import schema

ROOT = Path(__file__).parents[2]
OLD_ORDER = [name for name in OLD_NAMES if name != "m001_media"]

# Released: a file of somebody's holds the hash. What should be otherwise is a new step, with a new line here.
FROZEN = {
    "001_jobs": "07422c1ebf038ec0e8fb28258567527e619880530e502517da8d5d116528ef29",
    "002_preferences": "80f9947106b403c442d5e89eb8220229b7db69742e1201941dbd988ffdd34051",
    "003_connections": "54ba419e1b68ffcae2059fe180d2e729261928edfe50261a75bc22e01a962688",
    "004_engines": "ebec230a9483a46c1aff7a11812c7f22ed52b6ca275dc58941e66640a4a99a55",
    "005_patience": "c0c154dc6f5f485c57179d25451e3b1bfe922373ceb7eca279a171fd38eef45d",
    "006_workflows": "dc564a4fba29a32e5cf7794189bf1dbc7d19d942e530746da240448cd0efbe61",
    "007_gallery": "8813e20f1301f352ed69f06c9a4acbbae717a41fc4f1f7a3ced093ce1f728fc1",
    "008_request_keys": "1f8012dddb1fd1f37e39829fc9e92c22e20b3a93a5b90d72fb03c2870beaf68b",
    "009_access": "d6d498dd31ddcbdf082f4ff265e9ea2ea65ad6199c2417c229015931714efadd",
    "010_machines": "7a2e3570129e770ac8377d6b6e0898fc0accce99a297900de684ebfb136e9de7",
    "011_intake": "e16e1cc06e0bc2a770b3325a9440efe433213a5fe936b660fd734945eedf15ba",
    "012_outbox": "c10a2b9c77130b9848dc4998811905962ace15ce832226b14a4c86ed75214574",
    "013_words": "2d956d5af7239beda18d4c2ea057e5ac250a5925f2ab10e94c2110ed7f72e050",
    "014_seals": "06905b0f17306592c8016e7057a287d82661589b6c5e48a53ce91ede1dd7231b",
    "015_intents": "2ad6057422b48acff5039687fbf4c5782a15a25208004a23b63249517c095797",
    "016_uploads": "ee2b2b8a0d296376f2eb4812c9df8f9483aa9f40604d57f8a5ae72546ff18ed4",
    "017_questions": "4de9e2a7b64e9bb9cf36f5194d4daa2ed1759c29ca6c2e4159b2138cf5bbfc3b",
    "018_moderation": "3fe2c2becad2d8ab295ea9992804564f586103cbc84c0cc359d8fb3fb7730dfc",
    "019_house_rules": "0b54a1464c2e8ebb497c9e893f61ff3b03e9f789a3155408e827777d7815f63f",
    "020_house_of_jobs": "82f7f9d92e5a674421e36b1e2b112d320bc1fb1fee02aabaf7b82fb7437f6fd1",
    "021_counts": "a9ca21bcc4cee4b9b65e3bcd51c3b0ccbb0fbbc83e37192296ce4812ca8479d2",
    "022_looks": "c6bf2dcc01157369a5b5a38f19209bba30dd7bfc42ebf1affe2e36e8a89b1d65",
    "023_text_uses": "f700ee8187c7680a0bd95d4a5700ba083c0785a42190e7bb7e3927aa9f120b4e",
    "024_charges": "21da897db33faf8b18867735f91cab4ee8205789cc082cdda093a3c4fd6fba94",
    "025_bus": "cf17b5b538a1be6353000c9879361a7debd202d4207af314f0388d6f93290213",
    "026_ballots": "eee50e594f52c9a79a7f71040de3d70959af859147275c0829feb52459085b17",
    "027_line": "f846e26a66fc7acef3949530ad8474d675122fed0b21d178312128e106eb78f8",
    "028_priority": "6194a446c79d480fe1641f947ecc0b10f88f99430c527e2f912de900ebf2eef3",
}
FROZEN_OF_CACHE = {"001_media": "68341ffabe5d0bdff3caffc1d1278aef0156c84460a3d8093b1cf02fe7c99267"}


def hashes(steps: Mapping[str, str]) -> dict[str, str]:
    return {name: sha256(script.encode()).hexdigest() for name, script in steps.items()}


def test_no_released_step_has_changed() -> None:
    assert hashes(easel_steps()) == FROZEN
    assert hashes(cache_steps()) == FROZEN_OF_CACHE


def test_the_steps_are_numbered_in_order_without_a_gap() -> None:
    for steps in (easel_steps(), cache_steps()):
        assert [int(name.split("_")[0]) for name in steps] == list(range(1, len(steps) + 1))


async def opened(path: Path, steps: Mapping[str, str] | None = None) -> Database:
    return await Database.open(path, migrations=easel_steps() if steps is None else steps)


async def test_a_file_holds_the_hash_of_each_step_it_has_seen(tmp_path: Path) -> None:
    database = await opened(tmp_path / "a")
    rows = await database.fetch("SELECT name, sha256 FROM migrations")
    assert {row["name"]: row["sha256"] for row in rows} == FROZEN
    await database.close()


async def test_a_file_whose_step_was_another_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "easel.sqlite3"
    others = {"001_notes": "CREATE TABLE notes (text TEXT, colour TEXT)"}
    await (await opened(path, others)).close()
    ours = {"001_notes": "CREATE TABLE notes (text TEXT)", "002_more": "CREATE TABLE more (text TEXT)"}
    with pytest.raises(DatabaseForeign) as refused:
        await opened(path, ours)
    reply = str(refused.value)
    assert reply == (
        "easel.sqlite3 was written by another build of Easel (its 001_notes is not ours): install that build again, "
        "or put back a backup of easel.sqlite3 from before it."
    )
    await (await opened(path, others)).close()


def old_file(path: Path, names: Iterable[str], changes: Mapping[str, tuple[str, str]] | None = None) -> None:
    """Write a file as an Easel did that had these steps, by its names for them and without hashes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at REAL NOT NULL)")
        for name in names:
            script = easel_steps()[OLD_NAMES[name]]
            before, after = (changes or {}).get(name, ("", ""))
            assert before in script
            raw.executescript(script.replace(before, after, 1))
            raw.execute("INSERT INTO migrations VALUES (?, 1.0)", (name,))
        raw.execute(
            "INSERT INTO jobs (id, status, lane, door, user_key, weight, attempt, created_at, candidates, tried, notes,"
            " origin, request, drawn) VALUES ('job1', 'queued', 'one', 'api', 'api:7', 1, 1, 1.0, '[]', '[]', '[]',"
            " '{}', '{}', '{}')"
        )


# Every set of steps that some state of Easel had, in the order it ran them: numbers were handed out before steps came.
STATES = [OLD_ORDER[:3], OLD_ORDER[:4], [*OLD_ORDER[:4], "m006_gallery"]]
STATES.append([*STATES[-1], "m008_request_keys", "m007_access"])
STATES.append([*OLD_ORDER[:4], "m005_workflows", "m006_gallery", "m008_request_keys", "m007_access"])
STATES += [OLD_ORDER[:9], OLD_ORDER[:10], [*OLD_ORDER[:10], "m011_outbox"], [*OLD_ORDER[:10], *OLD_ORDER[11:13]]]
STATES.append([*STATES[-1], "m014_intents"])
STATES.append([*OLD_ORDER[:13], "m014_intents"])
STATES += [[*OLD_ORDER[:13], "m014_intents", "m015_uploads"], OLD_ORDER]


@pytest.mark.parametrize("names", STATES, ids=lambda names: f"{len(names)}-{names[-1]}")
async def test_a_file_of_every_earlier_state_gets_the_form_of_a_new_one(tmp_path: Path, names: list[str]) -> None:
    old_file(tmp_path / "old", names)
    database, new = await opened(tmp_path / "old"), await opened(tmp_path / "new")
    assert await schema(database) == await schema(new)
    assert [row["id"] for row in await database.fetch("SELECT id FROM jobs")] == ["job1"]
    rows = await database.fetch("SELECT name, sha256 FROM migrations")
    assert {row["name"]: row["sha256"] for row in rows} == FROZEN
    assert (await database.fetch("SELECT applied_at FROM migrations WHERE name = '001_jobs'"))[0]["applied_at"] == 1.0
    await database.close()
    await new.close()


async def test_steps_that_were_edited_after_they_were_written_become_what_they_became(tmp_path: Path) -> None:
    first_forms = {
        "m008_request_keys": ("CREATE INDEX jobs_newest ON jobs (created_at, id);", ""),
        "m007_access": ("(hook_id, job_id, event)\n);", "(hook_id, job_id, event)\n) WITHOUT ROWID;"),
    }
    old_file(tmp_path / "old", OLD_ORDER[:9], first_forms)
    with closing(sqlite3.connect(tmp_path / "old")) as raw:
        raw.execute("INSERT INTO webhooks VALUES ('hook', '', 'https://a.example', 'queued', 1.0)")
        for name, created_at in (("a", 2.0), ("b", 1.0)):
            row = (name, "hook", f"job-{name}", "queued", "{}", 0, created_at, 5.0, "")
            raw.execute("INSERT INTO webhook_deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        raw.commit()
    database, new = await opened(tmp_path / "old"), await opened(tmp_path / "new")
    assert await schema(database) == await schema(new)
    due = await database.fetch("SELECT id FROM webhook_outbox ORDER BY seq")
    assert [row["id"] for row in due] == ["b", "a"], "in the order in which things happened"
    await database.close()
    await new.close()


async def test_an_older_file_that_knows_more_than_we_do_is_refused_untouched(tmp_path: Path) -> None:
    old_file(tmp_path / "old", OLD_ORDER[:3])
    with closing(sqlite3.connect(tmp_path / "old")) as raw:
        raw.execute("INSERT INTO migrations VALUES ('m099_future', 1.0)")
        raw.commit()
    with pytest.raises(DatabaseTooNew, match="m099_future"):
        await opened(tmp_path / "old")
    with closing(sqlite3.connect(tmp_path / "old")) as raw:
        columns = [row[1] for row in raw.execute("PRAGMA table_info(migrations)")]
    assert columns == ["name", "applied_at"]


async def test_two_processes_that_bring_a_file_up_to_date_at_once_both_open_it(tmp_path: Path) -> None:
    old_file(tmp_path / "old", OLD_ORDER[:10])
    both = await asyncio.gather(*(opened(tmp_path / "old") for _ in range(2)))
    assert await schema(both[0]) == await schema(both[1])
    for database in both:
        await database.close()


VICTIM = """
import asyncio, os, signal, sqlite3, sys
from pathlib import Path
from store.database import Database
from store.migrations import easel_steps

left = int(sys.argv[2])
connect = sqlite3.connect

def count(_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def connected(*args, **options):
    connection = connect(*args, **options)
    connection.set_trace_callback(count)
    return connection

sqlite3.connect = connected
asyncio.run(Database.open(Path(sys.argv[1]), migrations=easel_steps()))
print(left)
os._exit(0)
"""


def upgrade(path: Path, *, killed_at: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", VICTIM, str(path), str(killed_at)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)


async def test_a_kill_in_the_middle_of_a_step_loses_nothing_and_the_next_start_goes_on(tmp_path: Path) -> None:
    path, new = tmp_path / "old", await opened(tmp_path / "new")
    old_file(path, OLD_ORDER[:9])
    states = set()
    for killed_at in (12, 25, 40, 20, 15, 12, 9):  # each goes on where the one before was killed
        assert upgrade(path, killed_at=killed_at).returncode == -9
        with closing(sqlite3.connect(path)) as raw:
            assert raw.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            assert raw.execute("SELECT id FROM jobs").fetchall() == [("job1",)]
            names = [row[0] for row in raw.execute("SELECT name FROM migrations ORDER BY name")]
            states.add(tuple(names))
            tables = {row[0] for row in raw.execute("SELECT name FROM sqlite_master")}
            assert ("webhook_outbox" in tables) == ("012_outbox" in names), "a step is there whole, or not at all"
            assert ("webhook_deliveries" in tables) != ("012_outbox" in names)
    assert len(states) > 2
    database = await opened(path)
    assert await schema(database) == await schema(new)
    await database.close()
    await new.close()
