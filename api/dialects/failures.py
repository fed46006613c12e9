"""Errors of a dialect in its own form: a route class that catches them before Easel's own handlers do."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.errors import MEANINGS, errors, headers_of, plain, rejection, status_of
from api.routing import EaselRoute
from generation.errors import GenerationError, RequestRejected
from generation.job import Job
from lazy import dataclass
from services.refusals import error_body
from texts.text import _

MONEY: Final = ("cost_usd", "offers")
STATUS: Final = {"model_missing": 404, "cancelled": 409, "expired": 504, "already_ended": 409}


class AlreadyEnded(RequestRejected):
    """That job has ended already."""

    code = "already_ended"


class StillDrawing(GenerationError):
    """The picture is not ready yet. It goes on and will be in the gallery."""

    code = "timed_out"

    def __init__(self, job_ids: list[str]) -> None:
        hint = _("Look at ") + ", ".join(f"/api/jobs/{job_id}" for job_id in job_ids)
        super().__init__(hint=hint)
        self.job_ids = job_ids


class DrawingFailed(GenerationError):
    """The engine failed. Please try again."""

    def __init__(self, job: Job) -> None:
        error = job.error
        words = _("It was cancelled.") if job.status == "cancelled" else None
        super().__init__(error.user_message if error else words, hint=error.hint if error else "")
        self.code = error.code if error else str(job.status)  # type: ignore[misc]  # the job's own
        self.job_ids = [job.id]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An error as every dialect can write it."""

    status: int
    message: str
    hint: str = ""
    field: str | None = None
    code: str = "request_rejected"
    retry_after: int | None = None
    job_ids: tuple[str, ...] = ()
    money: tuple[tuple[str, Any], ...] = ()  # a price to agree to, what a short budget offers

    @property
    def text(self) -> str:
        """Return what happened and what to do, for forms that have one place for both."""
        message = self.message if self.message.endswith((".", "!", "?")) else f"{self.message}."
        return f"{message} {self.hint}" if self.hint else self.message


Form = Callable[[Failure], dict[str, Any]]
# How every route of a dialect may refuse; 422 is an engine that cannot do it.
REFUSALS: Final = errors(400, 401, 402, 403, 404, 409, 410, 422, 429, 502, 503, 504)


def described(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """Describe the refusals of a dialect whose errors have another form than Easel's own."""
    return {
        int(status): {"description": MEANINGS[int(status)], "content": {"application/json": {"example": example}}}
        for status in REFUSALS
    }


def plain_form(failure: Failure) -> dict[str, Any]:
    """Easel's own form, with the id of the job that goes on."""
    given: dict[str, Any] = {
        "error": failure.message,
        "hint": failure.hint,
        "field": failure.field,
        "code": failure.code,
        "retry_after": failure.retry_after,
    }
    given |= dict(failure.money)
    return given | ({"id": failure.job_ids[0], "job_ids": list(failure.job_ids)} if failure.job_ids else {})


def route_class(form: Form) -> type[EaselRoute]:
    """Make a class of routes whose errors have this form; a value of the wrong kind is 400, as in the originals."""

    class DialectRoute(EaselRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def answer(request: Request) -> Response:
                headers: dict[str, str] | None = None
                try:
                    return await handle(request)
                except GenerationError as error:
                    failure, headers = _known(error), headers_of(error)
                except RequestValidationError as error:
                    failure = _failure(400, rejection(error))
                except HTTPException as error:
                    failure = _failure(error.status_code, plain(error.status_code, error.detail))
                    headers = dict(error.headers or {})
                return JSONResponse(form(failure), failure.status, headers)

            return answer

    return DialectRoute


def _known(error: GenerationError) -> Failure:
    status = STATUS.get(error.code) or status_of(error)
    return _failure(status, error_body(error), tuple(getattr(error, "job_ids", ())))


def _failure(status: int, body: dict[str, Any], job_ids: tuple[str, ...] = ()) -> Failure:
    return Failure(
        status=status,
        message=body["error"],
        hint=body["hint"],
        field=body["field"],
        code=body["code"],
        retry_after=body["retry_after"],
        job_ids=job_ids,
        money=tuple((name, body[name]) for name in MONEY if name in body),
    )
