"""A request that comes twice is one request: the key its sender gives it, and a digest of what was asked under it.

Every door that takes such keys numbers, finds and refuses by these functions: `docs/decisions/030-use-cases.md`. What
Discord brings twice (a message, a press) is told by its id instead, see `services/drawing/intakes`.
"""

import hashlib
import json
from typing import Any, Final

from generation.errors import RequestRejected
from generation.job import Job, Origin
from generation.values import changed
from store.jobs import JobStore
from texts.text import _
from utils.threads import LARGE_BYTES, run_in_thread

FIELD: Final = "Idempotency-Key"  # as the header is called in which it comes
MOST_KEY_CHARS: Final = 200


class KeyReused(RequestRejected):
    """The key of this request belongs to another one."""

    def __init__(self) -> None:
        super().__init__(
            _("This {header} was used for another request.", header=FIELD), field=FIELD, hint=_("Use a new one.")
        )


async def with_key(origin: Origin, key: str, asked: Any) -> Origin:
    """Return an origin that knows the key of its request.

    Args:
        origin: where the request came from.
        key: as its sender made it up; empty where there is none.
        asked: all that was asked, in JSON's own kinds: the same key with anything else in it is refused later.

    Raises:
        RequestRejected: the key is too long.
    """
    if not key:
        return origin
    if len(key) > MOST_KEY_CHARS:
        raise RequestRejected(
            _("{header} has at most {most} characters.", header=FIELD, most=MOST_KEY_CHARS), field=FIELD
        )
    return changed(origin, request_key=key, request_digest=await run_in_thread(_digest, asked))


def numbered(origin: Origin, number: int) -> Origin:
    """Return the origin of one job of a request, which has a key of its own."""
    key = f"{origin.request_key}#{number}" if origin.request_key else None
    return changed(origin, request_key=key)


def first_of(key: str) -> str:
    """Return the key that the first job of a request has."""
    return f"{key}#0"


async def job_of(jobs: JobStore, origin: Origin) -> Job | None:
    """Return the job that was made before under the key of a `numbered` origin.

    Raises:
        KeyReused: something else was asked for under it.
    """
    if origin.request_key is None:
        return None
    job = await jobs.by_request_key(origin.user_key, origin.request_key)
    if job and job.origin.request_digest != origin.request_digest:
        raise KeyReused
    return job


async def jobs_of(jobs: JobStore, origin: Origin) -> list[Job]:
    """Return all jobs that were made before of one request, however many parts it would have by now.

    Raises:
        KeyReused: as in `job_of`.
    """
    found: list[Job] = []
    while job := await job_of(jobs, numbered(origin, len(found))):
        found.append(job)
    return found


def _digest(asked: Any) -> str:
    return hashlib.sha256(json.dumps(_hashed(asked), sort_keys=True).encode()).hexdigest()


def _hashed(value: Any) -> Any:
    """Put a hash in the place of each picture: writing it as JSON would hold Python's lock for long."""
    if isinstance(value, str):
        return hashlib.sha256(value.encode()).hexdigest() if len(value) > LARGE_BYTES else value
    if isinstance(value, dict):
        return {name: _hashed(inner) for name, inner in value.items()}
    return [_hashed(inner) for inner in value] if isinstance(value, list) else value


def part_of(origin: Origin, number: int) -> Origin:
    """Return the origin of one job of several; only the first has the message that answers."""
    message_id = None if number else origin.message_id
    return changed(numbered(origin, number), answer_number=number, message_id=message_id)
