"""Requests on the bus: a picture, the models, the end of a job. Each is answered once, a picture when it is there."""

from typing import Any, Final

from bus.connection import BusMessage, NatsConnection
from bus.results import BusResults
from bus.wire import CancelMessage, DrawMessage, WrongMessage, read_message
from generation.errors import GenerationError, LimitReached, RequestRejected
from generation.job import Job, Origin
from generation.person import Person
from generation.prompt_words import words_of
from generation.request import Draft
from services.bundle import Services
from services.bus import BusServices
from services.drawing.idempotency import with_key
from services.people.access import TOKEN_PREFIX
from services.refusals import SignInNeeded, check_scope, error_body, unknown_key
from texts.text import _

DOOR: Final = "bus"
ANYBODY: Final = Person(user_key="bus:anybody", name="Bus", scopes=frozenset({"read", "generate"}))
KEYS: Final = ("nats-msg-id", "idempotency-key")  # headers that name a request

Answer = dict[str, Any]


class BusRequests:
    """Each method takes a message and returns the answer; None: it comes later, or nobody waits."""

    def __init__(self, services: Services, own: BusServices, results: BusResults, *, needs_key: bool) -> None:
        self._services = services
        self._own = own
        self._results = results
        self._needs_key = needs_key

    async def draw(self, connection: NatsConnection, message: BusMessage) -> Answer | None:
        """Commit a request; its answer is sent when the job has ended, by whichever process is there then."""
        person = await self._person(message, "generate")
        body = await read_message(DrawMessage, message.data)
        prompt, loras = words_of(body.prompt)
        draft = Draft(
            prompt=prompt,
            loras=loras,
            negative_prompt=body.negative_prompt,
            width=body.width,
            height=body.height,
            steps=body.num_inference_steps,
            cfg_scale=body.guidance_scale,
            seed=body.seed,
        )
        named = body.model if "model" in body.model_fields_set else None
        draft, notes = self._services.local_models.put_in(person, draft, named)
        agreed = body.max_cost_usd or 0.0
        origin = origin_of(person, private=body.private, reply_token=message.reply, agreed_usd=agreed)
        asked = [DOOR, body.model_dump(mode="json", exclude_unset=True)]
        origin = await with_key(origin, body.request_id or _key_in(message), asked)
        views = await self._services.generation.submit_all([draft], origin, notes=(*body.notes(), *notes))
        self._results.ring()  # it may be done already, from the cache
        job = views[0].job
        if message.reply and job.origin.reply_token != message.reply:
            await self._answer_again(connection, job, message.reply)
        return None

    async def cancel(self, connection: NatsConnection, message: BusMessage) -> Answer | None:
        """Cancel a job that waits or runs; one that has ended stays as it is."""
        person = await self._person(message, "generate")
        body = await read_message(CancelMessage, message.data)
        generation = self._services.generation
        job = await generation.asked_under(person.user_key, body.request_id) if body.request_id else None
        job_id = job.id if job else body.job_id or body.request_id
        if not job_id:
            raise RequestRejected(_("job_id is missing."), field="job_id")
        cancelled = await generation.cancel(job_id, person)
        job = cancelled or await generation.visible(job_id, person)
        return {"job_id": job.id, "status": str(job.status), "cancelled": cancelled is not None}

    async def model_info(self, connection: NatsConnection, message: BusMessage) -> Answer | None:
        """Return which model draws, on what, and which others there are."""
        return self._services.local_models.info(await self._person(message, "read"))

    async def _answer_again(self, connection: NatsConnection, job: Job, reply: str) -> None:
        """Answer a request that came before under the same id, to who asks now."""
        self._results.await_too(job.id, reply)
        now = await self._services.generation.get(job.id)
        if now.is_terminal:
            await self._results.answer(connection, now, reply)

    async def _person(self, message: BusMessage, scope: str) -> Person:
        """Return who asks: a key's bearer, else anybody whom the server let in.

        Raises:
            SignInNeeded: there is no key, or none of ours.
            Forbidden: the key does not go so far.
            LimitReached: it was used too often, or too many wrong ones came.
        """
        token = _token_in(message)
        person: Person | None = ANYBODY
        if token:
            person = await self._own.access.verify_key(token, remote=DOOR) if token.startswith(TOKEN_PREFIX) else None
            if person is None:
                raise unknown_key()
        elif self._needs_key:
            raise SignInNeeded
        assert person is not None, "else it was refused"
        check_scope(person, scope)
        return person


def refused(error: Exception) -> Answer:
    """Return the answer to a message that cannot be obeyed."""
    if isinstance(error, WrongMessage):
        return error.body
    assert isinstance(error, GenerationError), "the others are faults of ours"
    return error_body(error)


def origin_of(person: Person, **more: Any) -> Origin:
    """Return where a request of this person comes from; it counts under the person's own key."""
    account = person.user_key if person is not ANYBODY else ""
    return Origin(door=DOOR, user_id=person.user_id, user_name=person.name, account=account, **more)


def busy() -> LimitReached:
    return LimitReached(_("Too many requests came at once. Please try again in a moment."))


def _token_in(message: BusMessage) -> str:
    kind, __, token = message.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.casefold() == "bearer" else message.headers.get("x-api-key", "").strip()


def _key_in(message: BusMessage) -> str:
    return next((message.headers[name].strip() for name in KEYS if message.headers.get(name)), "")
