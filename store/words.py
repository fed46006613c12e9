"""Takes people's words out of the store: of single jobs, of what is old, and of a person altogether.

A job whose words are gone keeps its figures (times, sizes, engine, cost), so that statistics stay true. `secure_delete`
overwrites the bytes; `Database.shrink` then gives the space back and empties the -wal file.
"""

import json
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from store.database import Database
from store.gallery import KEPT_PICTURE
from store.job_rows import to_epoch
from texts.text import _

BATCH: Final = 100  # jobs in one transaction: others get their turn in between
FORGOTTEN: Final = "forgotten:"  # in front of the name that a person's figures stay under
_PARTS_OF_A_REQUEST: Final = (
    "loras", "styles", "control", "init_image", "more_images", "mask_image", "workflow", "options",
)  # fmt: skip

_IDS: Final = "(SELECT value FROM json_each(:ids))"
KEPT: Final = f"""EXISTS (SELECT 1 FROM generated_images AS g WHERE g.job_id = j.id AND g.deleted_at IS NULL
    AND (g.expires_at > :now OR {KEPT_PICTURE}))"""  # noqa: S608  # parts of our own
OLD: Final = f"""
    SELECT j.id FROM jobs AS j INDEXED BY jobs_words
    WHERE j.finished_at <= :before AND j.finished_at IS NOT NULL AND j.words_gone_at IS NULL AND NOT {KEPT}
    ORDER BY j.finished_at LIMIT :limit
"""  # noqa: S608
OLD_PRIVATE: Final = f"""
    SELECT j.id FROM jobs AS j INDEXED BY jobs_private_words
    WHERE j.finished_at <= :before AND j.finished_at IS NOT NULL AND j.words_gone_at IS NULL
        AND json_extract(j.origin, '$.private') = 1 AND NOT {KEPT}
    ORDER BY j.finished_at LIMIT :limit
"""  # noqa: S608
OF_PERSON: Final = """
    SELECT id FROM jobs INDEXED BY jobs_user WHERE user_key = :user_key AND finished_at IS NOT NULL LIMIT :limit
"""


def _blank(column: str) -> str:
    gone = ", ".join(f"'$.{name}'" for name in _PARTS_OF_A_REQUEST)
    return f"json_remove(json_set({column}, '$.prompt', '', '$.negative_prompt', ''), {gone})"


_WORDS_GONE: Final = _("Its words were deleted.")
BLANK_JOBS: Final = f"""
    UPDATE jobs SET words_gone_at = :now, request = {_blank("request")}, drawn = {_blank("drawn")}, notes = '[]',
        result = iif(result IS NULL, NULL, json_remove(json_set(result, '$.notes', json('[]')), '$.alts')),
        error = iif(error IS NULL, NULL, json_set(error, '$.user_message', '{_WORDS_GONE}', '$.hint', '',
            '$.texts', json_object('user_message', json_object('template', '{_WORDS_GONE}', 'values', json('{{}}')))))
    WHERE id IN {_IDS} AND finished_at IS NOT NULL RETURNING id
"""  # noqa: S608
BLANK_PICTURES: Final = f"UPDATE generated_images SET prompt = '', negative_prompt = '' WHERE job_id IN {_IDS}"  # noqa: S608
BLANK_DELIVERIES: Final = f"""
    UPDATE webhook_outbox SET body = json_replace(body, '$.job.prompt', '', '$.job.negative_prompt', '')
    WHERE job_id IN {_IDS} AND body <> ''
"""  # noqa: S608
# What several jobs said together goes with the last of them.
BLANK_COMPARISONS: Final = f"""
    UPDATE comparisons SET prompt = ''
    WHERE id IN (SELECT json_extract(origin, '$.group_id') FROM jobs WHERE id IN {_IDS})
        AND NOT EXISTS (SELECT 1 FROM json_each(contenders) AS c
            JOIN jobs AS j ON j.id = json_extract(c.value, '$.job_id') WHERE j.words_gone_at IS NULL)
"""  # noqa: S608
DROP_COMPARISONS: Final = f"""
    DELETE FROM comparisons WHERE id IN (SELECT json_extract(origin, '$.group_id') FROM jobs WHERE id IN {_IDS})
"""  # noqa: S608
PICTURES_OF: Final = f"""
    SELECT media_id FROM generated_images WHERE job_id IN {_IDS} AND from_cache = 0
"""  # noqa: S608
# An engine of a person's own has their id in its name, and their name in its label.
_LANE: Final = "iif(lane = :lane, :new_lane, lane)"
_LANES: Final = "replace({column}, json_quote(:lane), json_quote(:new_lane))"
_OWN_ENGINE: Final = _("an engine of their own")
RENAME_JOBS: Final = f"""
    UPDATE jobs SET user_key = :name, reply_token = '', reply_token_until = NULL, lane = {_LANE},
        candidates = {_LANES.format(column="candidates")}, tried = {_LANES.format(column="tried")},
        result = iif(result IS NULL, NULL, json_set(result, '$.images', json('[]'),
            '$.backend', iif(lane = :lane, '{_OWN_ENGINE}', json_extract(result, '$.backend')))),
        origin = json_set(
            json_remove(origin, '$.parent_job_id', '$.parent_user_id', '$.parent_channel_id', '$.parent_message_id',
                '$.request_key', '$.source_message_id', '$.guild_id', '$.group_id', '$.places', '$.roles',
                '$.house_id'),
            '$.user_id', '0', '$.user_name', '', '$.account', :name, '$.request_digest', '')
    WHERE id IN {_IDS}
"""  # noqa: S608
RENAME_PICTURES: Final = f"""
    UPDATE generated_images SET user_key = :name, user_name = '', deleted_at = coalesce(deleted_at, :now),
        engine = iif(lane = :lane, '{_OWN_ENGINE}', engine), lane = {_LANE}
    WHERE job_id IN {_IDS}
"""  # noqa: S608
DROP_BALLOTS: Final = f"DELETE FROM ballots WHERE job_a IN {_IDS} OR job_b IN {_IDS}"  # noqa: S608
DISOWN: Final = (
    BLANK_JOBS, BLANK_PICTURES, BLANK_DELIVERIES, DROP_COMPARISONS, DROP_BALLOTS, RENAME_JOBS, RENAME_PICTURES
)  # fmt: skip
# What others made from this person's pictures says so; whose they were is forgotten there, too.
UNLINK: Final = """
    UPDATE jobs SET origin = json_remove(origin, '$.parent_job_id', '$.parent_user_id', '$.parent_channel_id',
        '$.parent_message_id')
    WHERE rowid > :after AND rowid <= :until AND json_extract(origin, '$.parent_user_id') = :user_id
"""
LAST_ROW: Final = "SELECT coalesce(max(rowid), 0) AS last FROM jobs"
UNLINK_ROWS: Final = 2000
FORGET_INTAKES: Final = (
    "DELETE FROM intakes WHERE door || ':' || json_extract(iif(origin = '', '{}', origin), '$.user_id') = :user_key"
)
FORGET_QUESTIONS: Final = "DELETE FROM questions WHERE user_key = :user_key"
# A server needs to know whom it banned and what was decided: ids stay there as long as those do, names and words go.
FORGET_NAMES: Final = (
    "UPDATE bans SET user_name = '' WHERE user_key = :user_key",
    "UPDATE audit SET actor_name = '' WHERE actor = :user_key",
    "UPDATE audit SET reason = '' WHERE actor = :user_key AND action IN ('report', 'appeal')",
    "UPDATE audit SET target_name = '' WHERE target = :user_key",
    "UPDATE reports SET owner_name = '', appeal = '' WHERE owner = :user_key",
    "UPDATE OR REPLACE report_reasons SET reporter = :name, reporter_name = '', reason = '' WHERE reporter = :user_key",
    "DELETE FROM notices WHERE user_key = :user_key",
)
FORGET_PERSON: Final = (
    f"UPDATE OR REPLACE image_generation_stats SET user_key = :name, lane = {_LANE} WHERE user_key = :user_key",  # noqa: S608  # parts of our own
    # of today's and yesterday's the budgets still know whose they are: who is forgotten has no new day
    f"UPDATE charges SET user_key = :name, lane = {_LANE} WHERE user_key = :user_key",  # noqa: S608  # parts of our own
    f"UPDATE rental_costs SET owner_id = '', label = '', lane = {_LANE} WHERE lane = :lane",  # noqa: S608
    "DELETE FROM lane_pace WHERE lane = :lane",
    "DELETE FROM rentals WHERE lane = :lane",
    "DELETE FROM image_favorites WHERE user_key = :user_key",
    "DELETE FROM image_collections WHERE user_key = :user_key",
    "DELETE FROM prompt_templates WHERE user_key = :user_key",
    "DELETE FROM api_keys WHERE user_key = :user_key",
    "DELETE FROM sessions WHERE user_key = :user_key",
    "DELETE FROM uploads WHERE user_key = :user_key",
    "UPDATE text_uses SET user_key = :name WHERE user_key = :user_key",
    "DELETE FROM votes WHERE user_key = :user_key",
    FORGET_INTAKES,
    FORGET_QUESTIONS,
    "DELETE FROM looks WHERE owner = :user_key",
    *FORGET_NAMES,
    "DELETE FROM preferences WHERE scope = 'user:' || :user_key",
    "DELETE FROM workflows WHERE owner_kind = 'user' AND owner_id = :user_id",
)


class WordStore:
    """Each method is one transaction, or several small ones that may be repeated."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def blank(self, job_ids: Iterable[str], now: datetime) -> int:
        """Blank the words of ended jobs wherever they stand; return how many jobs that were."""
        values = {"ids": json.dumps(list(job_ids)), "now": to_epoch(now)}
        async with self._database.transaction():
            blanked = await self._database.write(BLANK_JOBS, values)
            await self._database.write(BLANK_PICTURES, values)
            await self._database.write(BLANK_DELIVERIES, values)
            await self._database.write(BLANK_COMPARISONS, values)
        return len(blanked)

    async def old(self, *, before: datetime, now: datetime, is_private: bool) -> list[str]:
        """Return ended jobs with words from before then whose pictures are gone; with `is_private` such ones only."""
        values = {"before": to_epoch(before), "now": to_epoch(now), "limit": BATCH}
        rows = await self._database.fetch(OLD_PRIVATE if is_private else OLD, values)
        return [row["id"] for row in rows]

    async def jobs_of(self, user_key: str) -> tuple[list[str], list[str]]:
        """Return a batch of a person's ended jobs, empty when there are no more, and the ids of their pictures."""
        rows = await self._database.fetch(OF_PERSON, {"user_key": user_key, "limit": BATCH})
        job_ids = [row["id"] for row in rows]
        pictures = await self._database.fetch(PICTURES_OF, {"ids": json.dumps(job_ids)})
        return job_ids, [row["media_id"] for row in pictures]

    async def forget_intakes(self, user_key: str) -> None:
        """Delete what a person has asked for and what is not in jobs yet: it becomes none any more."""
        await self._database.write(FORGET_QUESTIONS, {"user_key": user_key})
        await self._database.write(FORGET_INTAKES, {"user_key": user_key})

    async def drop_intakes(self, before: datetime) -> None:
        """Delete what was taken in before then and never became jobs: its door has been closed since."""
        await self._database.write("DELETE FROM questions WHERE created_at <= ?", (to_epoch(before),))
        await self._database.write("DELETE FROM intakes WHERE created_at <= ?", (to_epoch(before),))

    async def disown(self, job_ids: Iterable[str], name: str, now: datetime, *, lane: str) -> None:
        """Take jobs from the person who asked for them: words, pictures, names and places; `lane` is their engine."""
        values = {"ids": json.dumps(list(job_ids)), "now": to_epoch(now), "name": name, **_lanes(lane, name)}
        async with self._database.transaction():
            for statement in DISOWN:
                await self._database.write(statement, values)

    async def forget_person(self, user_key: str, name: str, *, lane: str = "") -> None:
        """Delete what a person has besides jobs; their figures stay under `name`, which says nothing of them."""
        values = {"user_key": user_key, "user_id": user_key.partition(":")[2], "name": name, **_lanes(lane, name)}
        async with self._database.transaction():
            for statement in FORGET_PERSON:
                await self._database.write(statement, values)
        last = (await self._database.fetch(LAST_ROW))[0]["last"]
        for after in range(0, last, UNLINK_ROWS):
            span = {"after": after, "until": after + UNLINK_ROWS, "user_id": values["user_id"]}
            await self._database.write(UNLINK, span)

    async def give_space_back(self) -> None:
        await self._database.shrink()


def _lanes(lane: str, name: str) -> dict[str, str]:
    return {"lane": lane, "new_lane": f"{lane.partition('-')[0]}-{name.removeprefix(FORGOTTEN)}"}


def nameless() -> str:
    """Return a new name for the figures of somebody who is forgotten."""
    return FORGOTTEN + secrets.token_hex(6)
