"""Everything that can go wrong with a picture, in words for people.

GenerationError            code, user_message, retryable, retry_after (seconds)
├── RequestRejected        the request is wrong: says which field and what would be right
│   ├── CapabilityError    this backend cannot do it; another may
│   └── ContentBlocked     refused by a filter
├── LimitReached           queue full, cooldown, budget spent
├── NotAllowed             this person may not do that
│   ├── Barred             banned from a server; the reason is for them alone
│   └── HouseRefusal       a rule of the server, `rule` is its name
├── StoreUnavailable       our own queue cannot be written: disk full or locked
├── Unstorable             a value of this one job cannot be written, now or ever
├── BackendError           one backend is at fault
│   ├── BackendUnavailable no answer, timeout, 5xx      -> retry, then another backend
│   │   └── BackendGone    nothing is there at all      -> another backend, or wait until it is back
│   ├── RateLimited        429, carries retry_after     -> pause the lane
│   ├── BackendAuthError   401 / 403                    -> switch off, tell the owner
│   ├── OutOfMemory        the engine's GPU is too small for this request
│   └── UnexpectedAnswer   an answer we cannot read     -> fail, keep the body in the log
└── JobTimedOut, JobInterrupted

`user_message` is one sentence of what happened and one of what to do; never a URL, key, class name or traceback. `hint`
is what anybody can do next, `owner_hint` what only who runs the engine can (ports, flags, settings, logs): it goes to
them alone. All three are texts (`texts.text`), rendered where they are shown; so is the docstring of each class, its
usual message. `detail` is for the log only.
"""

from typing import ClassVar, Final, Self

from generation.foreign import clean_line, clean_text, finite
from texts.text import Text, _, english

MAX_RETRY_AFTER_S: Final = 24 * 3600.0


class GenerationError(Exception):
    """Something went wrong while making the picture. Please try again."""

    code: ClassVar[str] = "generation_error"
    retryable: ClassVar[bool] = False
    usual_hint: ClassVar[str] = ""
    usual_owner_hint: ClassVar[str] = ""

    def __init__(
        self, user_message: str | None = None, *, detail: str = "", retry_after: float | None = None, hint: str = ""
    ) -> None:
        self.user_message = clean_text(user_message or Text(type(self).__doc__ or "", {}))
        self.detail = detail = clean_text(detail)
        self.retry_after = None if retry_after is None else finite(retry_after, 0.0, MAX_RETRY_AFTER_S)
        self.hint = clean_text(hint or self.usual_hint)  # what to type or press next, shown on a line of its own
        self.owner_hint = clean_text(self.usual_owner_hint)
        self.max_attempts: int | None = None  # on one engine, where that is fewer than usual
        super().__init__(f"{self.code}: {english(self.user_message)}" + (f" [{detail}]" if detail else ""))

    def for_owner(self, hint: str) -> Self:
        """Add what only who runs the engine can do; it goes to them, not to whoever reads along."""
        self.owner_hint = clean_text(hint)
        return self


class RequestRejected(GenerationError):
    """That request cannot be drawn as it stands."""

    code = "request_rejected"

    def __init__(self, user_message: str | None = None, *, field: str = "", detail: str = "", hint: str = "") -> None:
        super().__init__(user_message, detail=detail, hint=hint)
        self.field = field


class CapabilityError(RequestRejected):
    """No engine here can do that."""

    code = "not_capable"


class ContentBlocked(RequestRejected):
    """This prompt cannot be drawn here."""

    code = "content_blocked"
    may_have_run: bool = False  # a filter that looks at what was drawn: it may have been charged


class LimitReached(GenerationError):
    """Too much at once. Please try again in a moment."""

    code = "limit_reached"


class NotAllowed(GenerationError):
    """You may not do that here."""

    code = "not_allowed"


class Barred(NotAllowed):
    """You cannot ask for pictures in this server."""

    code = "banned"


class HouseRefusal(NotAllowed):
    """A rule of this server does not allow that."""

    code = "house_rule"

    def __init__(self, user_message: str | None = None, *, rule: str = "", hint: str = "", detail: str = "") -> None:
        super().__init__(user_message, hint=hint, detail=detail)
        self.rule = rule


class BackendError(GenerationError):
    """The engine failed."""

    code = "backend_error"

    def __init__(
        self,
        user_message: str | None = None,
        *,
        detail: str = "",
        retry_after: float | None = None,
        hint: str = "",
        may_have_run: bool = False,
        max_attempts: int | None = None,
    ) -> None:
        super().__init__(user_message, detail=detail, retry_after=retry_after, hint=hint)
        self.max_attempts = max_attempts
        self.may_have_run = may_have_run  # the request may have been accepted: a paid one is never sent twice


class BackendUnavailable(BackendError):
    """The engine is not answering."""

    code = "backend_unavailable"
    retryable = True


class BackendGone(BackendUnavailable):
    """The engine is gone: nothing answers at its address."""

    def __init__(
        self,
        user_message: str | None = None,
        *,
        reason: str = _("no answer"),
        detail: str = "",
        retry_after: float | None = None,
        hint: str = "",
        may_have_run: bool = False,
    ) -> None:
        super().__init__(user_message, detail=detail, retry_after=retry_after, hint=hint, may_have_run=may_have_run)
        self.reason = clean_line(reason)  # in a word or two, for people: "refused"


class RateLimited(BackendError):
    """The engine asks us to slow down."""

    code = "rate_limited"
    retryable = True


class BackendAuthError(BackendError):
    """The engine refuses its key or password. Its owner has to connect it again."""

    code = "backend_auth"


class OutOfMemory(BackendError):
    """The engine ran out of memory. Try a smaller size or batch."""

    code = "out_of_memory"


class UnexpectedAnswer(BackendError):
    """The engine gave an answer that cannot be read."""

    code = "unexpected_answer"
    usual_hint = _("Try again.")
    usual_owner_hint = _("If it lasts, look at the engine’s log.")


class StoreUnavailable(GenerationError):
    """Easel cannot write its queue right now: its disk is full or locked. Please try again in a minute."""

    code = "store_unavailable"
    usual_owner_hint = _("Look at the free space and the rights of DATA_DIR; the log has more.")


class Unstorable(GenerationError):
    """One of the values of this job cannot be stored, so it was given up. Please try it with other settings."""

    code = "unstorable"


class JobTimedOut(GenerationError):
    """Generation timed out. Try fewer steps (20), a smaller size (512x512) or a faster engine."""

    code = "timed_out"
    usual_owner_hint = _("Raise JOB_TIMEOUT, take a faster model, or look at the status page of the service.")


class JobInterrupted(GenerationError):
    """Easel was restarted in the middle and this engine may already have charged for it. Run it again if you like."""

    code = "interrupted"
