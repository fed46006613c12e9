"""A `Job` as a row of the table `jobs`, and back. Fields that this version does not know are passed over."""

import json
import logging
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache, lru_cache
from sys import intern
from typing import Any, Final

from generation.job import Job, JobError, JobStatus, Origin, Ticket
from generation.request import GenerationRequest, Priority, request_from_json, request_to_json
from generation.result import JobResult, StoredImage
from store.rows import UNREADABLE, seed_from_column, seed_to_column
from texts.text import Text, english, text_from_json, text_to_json
from utils.secrets import SecretBox, SecretLost

log = logging.getLogger(__name__)

# These live in columns of their own: they are searched for, changed alone, or secret.
_ORIGIN_COLUMNS = ("channel_id", "message_id", "reply_token", "reply_token_until")
_ORIGIN_LISTS = ("places", "roles", "asked", "styles")
_PLACES: Final = {Priority.LOW: -1, Priority.NORMAL: 0, Priority.HIGH: 1}  # a column of numbers
_PRIORITIES: Final = {place: priority for priority, place in _PLACES.items()}
READ_OF_LATE: Final = 128  # a job is read some five times on its way, and its words stay the same
_ERROR_TEXTS = ("user_message", "hint", "owner_hint")
_TIMES = ("created_at", "not_before", "away_since", "started_at", "finished_at", "delivered_at", "words_gone_at")


def _values(record: Any) -> dict[str, Any]:
    """Return the fields of a flat record: `asdict` would copy each value, which costs ten times as much."""
    return {name: getattr(record, name) for name in _names_of(type(record))}  # type: ignore[arg-type]


def to_json(value: Any) -> str:
    """Return JSON that SQLite can read too: a number that is none is refused."""
    return _ENCODER.encode(value)


def from_json(text: str) -> Any:
    """Read such JSON; numbers that are none, as older versions could write them, are refused."""
    return _DECODER.decode(text)


def to_epoch(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


def from_epoch(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


def request_text(request: GenerationRequest) -> str:
    return to_json(request_to_json(request))


def result_text(result: JobResult | None) -> str | None:
    if result is None:
        return None
    images = [_values(image) | {"seed": seed_to_column(image.seed)} for image in result.images]
    notes = [text_to_json(note) for note in result.notes]
    return to_json(_values(result) | {"images": images, "notes": notes, "expires_at": to_epoch(result.expires_at)})


def notes_text(notes: tuple[str, ...]) -> str:
    return to_json([text_to_json(note) for note in notes])


def error_text(error: JobError | None) -> str | None:
    if error is None:
        return None
    words = {name: getattr(error, name) for name in _ERROR_TEXTS}
    plain = {name: english(text) for name, text in words.items()}  # statistics read them as they stand
    texts = {name: text_to_json(text) for name, text in words.items() if isinstance(text, Text)}
    charged = {"may_have_run": error.may_have_run, "cost_usd": error.cost_usd}
    return to_json({"code": error.code, **plain, "texts": texts, **charged})


def job_to_row(job: Job, box: SecretBox) -> dict[str, Any]:
    """Return a value for every column of `jobs`."""
    request = request_text(job.request)
    return origin_to_row(job.origin, box) | {
        "id": job.id,
        "status": job.status.value,
        "lane": job.lane,
        "door": job.origin.door,
        "user_key": job.user_key,
        "weight": job.weight,
        "is_pinned": job.is_pinned,
        "attempt": job.attempt,
        "interruptions": job.interruptions,
        "remote_id": job.remote_id,
        **{name: to_epoch(getattr(job, name)) for name in _TIMES},
        "candidates": to_json(job.candidates),
        "tried": to_json(job.tried),
        "notes": notes_text(job.notes),
        "request": request,
        "drawn": request if job.drawn is job.request else request_text(job.drawn),
        "drawn_cost": job.drawn.cost,
        "drawn_model": job.drawn.model,
        "priority": _PLACES[job.origin.priority],
        "result": result_text(job.result),
        "error": error_text(job.error),
    }


def origin_to_row(origin: Origin, box: SecretBox) -> dict[str, Any]:
    """Return the columns that hold where a request came from."""
    values = _values(origin)
    del values["webhook"]  # a secret, see `JobStore.insert`
    columns = {name: values.pop(name) for name in _ORIGIN_COLUMNS}
    return columns | {
        "origin": to_json(values),
        "reply_token": box.seal(origin.reply_token) if origin.reply_token else "",
        "reply_token_until": to_epoch(origin.reply_token_until),
    }


def row_to_job(row: Mapping[str, Any], box: SecretBox) -> Job:
    """Read a row; a reply token sealed with another key is dropped, the job is still good."""
    times = {name: from_epoch(row[name]) for name in _TIMES}
    request = _read_request(row["request"])
    is_as_asked = row["drawn"] == row["request"]
    return Job(
        id=row["id"],
        request=request,
        drawn=request if is_as_asked else _read_request(row["drawn"]),
        origin=row_to_origin(row, box),
        lane=row["lane"],
        candidates=tuple(from_json(row["candidates"])),
        status=JobStatus(row["status"]),
        weight=row["weight"],
        is_pinned=bool(row["is_pinned"]),
        attempt=row["attempt"],
        interruptions=row["interruptions"],
        tried=tuple(from_json(row["tried"])),
        notes=tuple(map(text_from_json, from_json(row["notes"]))),
        remote_id=row["remote_id"],
        intent=row["intent"],
        result=_read_result(row["result"]),
        error=_read_error(row["error"]),
        **times,  # type: ignore[arg-type]  # created_at is NOT NULL
    )


def row_to_ticket(row: Iterable[Any]) -> Ticket:
    """Read a row of `LINE`, whose columns are in this order. Strings that many have are kept once."""
    job_id, lane, user_key, cost, weight, model, created_at, not_before, away_since, urgency, drawn, origin = row
    priority = _PRIORITIES.get(urgency, Priority.NORMAL)
    if cost is None:
        cost, model, priority = _said_before(drawn, origin)
    return Ticket(
        job_id,
        intern(lane),
        intern(user_key),
        cost,
        weight,
        model and intern(model),
        datetime.fromtimestamp(created_at, UTC),
        from_epoch(not_before),
        from_epoch(away_since),
        priority,
    )


def _said_before(drawn_text: str, origin_text: str) -> tuple[float, str | None, Priority]:
    """Read the same of a job that an older version took in; one that cannot be read is failed when its turn comes."""
    try:
        drawn = request_from_json(from_json(drawn_text))
        return drawn.cost, drawn.model, _priority_of(from_json(origin_text))
    except UNREADABLE:
        return 1.0, None, Priority.NORMAL


def row_to_origin(row: Mapping[str, Any], box: SecretBox) -> Origin:
    """Read those columns; a reply token sealed with another key is dropped."""
    token = ""
    if row["reply_token"]:
        try:
            token = box.unseal(row["reply_token"])
        except SecretLost as error:
            log.warning("reply token dropped: %s", error, extra={"action": "secret_lost", "job": row["id"]})
    return Origin(
        **_origin_values(row["origin"]),
        channel_id=row["channel_id"],
        message_id=row["message_id"],
        reply_token=token,
        reply_token_until=from_epoch(row["reply_token_until"]) if token else None,
    )


@lru_cache(maxsize=READ_OF_LATE)
def _read_request(text: str) -> GenerationRequest:
    return request_from_json(from_json(text))


@lru_cache(maxsize=READ_OF_LATE)
def _origin_values(text: str) -> dict[str, Any]:
    """Return what that column says of an origin; not to be changed."""
    stored = from_json(text)
    values = _known(Origin, stored) | {"priority": _priority_of(stored)}
    return values | {name: tuple(values.get(name, ())) for name in _ORIGIN_LISTS}


def _priority_of(origin: Mapping[str, Any]) -> Priority:
    """Read what an origin says of its place; before there was a low one, it said whether it is urgent."""
    if origin.get("is_urgent"):
        return Priority.HIGH
    name = origin.get("priority")
    return Priority(name) if name in _PLACES else Priority.NORMAL


def _read_result(text: str | None) -> JobResult | None:
    if text is None:
        return None
    values = _known(JobResult, from_json(text))
    values["images"] = tuple(_read_image(image) for image in values["images"])
    values["notes"] = tuple(map(text_from_json, values.get("notes", ())))
    values["expires_at"] = from_epoch(values.get("expires_at"))
    return JobResult(**values)


def _read_error(text: str | None) -> JobError | None:
    if text is None:
        return None
    values = from_json(text)
    texts = {name: text_from_json(stored) for name, stored in values.get("texts", {}).items() if name in _ERROR_TEXTS}
    return JobError(**_known(JobError, values) | texts)


def _read_image(values: dict[str, Any]) -> StoredImage:
    known = _known(StoredImage, values)
    return StoredImage(**known | {"seed": seed_from_column(known["seed"])})


def _known(kind: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    names = _names_of(kind)  # type: ignore[arg-type]
    return {name: value for name, value in values.items() if name in names}


@cache
def _names_of(kind: Hashable) -> dict[str, None]:
    return dict.fromkeys(f.name for f in fields(kind))  # type: ignore[arg-type]


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number")


_ENCODER: Final = json.JSONEncoder(allow_nan=False)
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)  # made once: making one takes as long as reading a request
