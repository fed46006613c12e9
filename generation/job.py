"""A job: one request on its way through the queue, and the states it may take."""

from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from generation.deeds import asked_in
from generation.foreign import MAX_SECONDS, clean_line, clean_text, finite, whole
from generation.person import Person
from generation.request import Draft, GenerationRequest, Priority
from generation.result import MAX_NUMBER, JobResult, clean_notes
from lazy import dataclass


class JobStatus(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


ACTIVE = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})
TERMINAL = frozenset(JobStatus) - ACTIVE
# running -> queued: retry, failover and restart. A terminal state is never left.
TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.EXPIRED}),
    JobStatus.RUNNING: frozenset({JobStatus.QUEUED, JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.DONE: frozenset(),
    JobStatus.FAILED: frozenset(),
    JobStatus.CANCELLED: frozenset(),
    JobStatus.EXPIRED: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Another program that wants to hear of a job."""

    url: str = field(repr=False)  # many carry a token
    events: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The place a request came from and its answer belongs to: ids only, so that it survives a restart."""

    door: str  # "discord", "console", "api", "bus"
    user_id: str
    user_name: str = ""
    guild_id: str | None = None
    channel_id: str | None = None
    places: tuple[str, ...] = ()  # ids of the channel it was asked in and, in a thread, of the one above; never change
    roles: tuple[str, ...] = ()  # ids of the roles of who asked, in that server
    is_age_restricted: bool = False  # the channel it was asked in is marked so in Discord, or the one above a thread is
    house_id: str | None = None  # the server whose caps hold where it was asked in none
    at_once: int | None = None  # so many of this person's jobs run together, where that is fewer than usual
    priority: Priority = Priority.NORMAL  # before what others wait for, in turn, or behind it
    is_elsewhere: bool = False  # where no bot of ours is a member: who asked has brought the app along
    source_message_id: str | None = None  # the message that asked; replies point at it
    message_id: str | None = None  # our own message, edited from queued to done
    answer_number: int = 0  # 0: the answer itself; from 1 on messages after it, for what was asked for several times
    reply_token: str = field(default="", repr=False)  # an interaction token; a secret, stored encrypted
    reply_token_until: datetime | None = None
    private: bool = False
    spoiler: bool = False  # hidden until it is clicked
    previews: bool = True  # shown unfinished while it is drawn
    pings: bool = True  # who asked is pinged after a long wait
    by_letter: bool = False  # the finished picture also goes to who asked, as a direct message
    parent_job_id: str | None = None  # re-rolled, edited or upscaled from
    parent_user_id: str | None = None  # whose that was
    parent_channel_id: str | None = None  # where it stands, for a link
    parent_message_id: str | None = None
    parent_number: int = 0  # which of its pictures, from 1 on; 0: all of it
    deed: str = ""  # what was done to that: a `generation.deeds.Deed`
    asked: tuple[str, ...] = ()  # fields that somebody said a value for, here or on the way: see `generation.deeds`
    styles: tuple[str, ...] = ()  # presets by name, whose words are in the prompt
    group_id: str | None = None  # jobs that are shown in one message together
    account: str = ""  # the person's key where it is not the door's own: signed in to the studio with Discord
    agreed_usd: float = 0.0  # who asked has agreed that it costs so much
    via: str = ""  # where it was said, if not at the door that answers: "studio"
    request_key: str | None = None  # given by a program, so that asking again gives the same job
    request_digest: str = ""  # of what was asked under that key
    webhook: Webhook | None = None  # on the way in only: stored in the same commit, in a table of its own

    @property
    def user_key(self) -> str:
        """The person, for limits and fairness, whatever server they are in."""
        return self.account or f"{self.door}:{self.user_id}"

    @property
    def person(self) -> Person:
        """Return who asked, and where; without the rights that a door gave them."""
        return Person(
            user_key=self.user_key,
            name=self.user_name,
            door=self.door,
            guild_id=self.guild_id,
            channel_id=self.channel_id,
            roles=self.roles,
        )


@dataclass(frozen=True, kw_only=True)
class JobError:
    """The reason a job failed, as its owner may read it."""

    code: str
    user_message: str
    hint: str = ""
    owner_hint: str = ""  # for whoever runs the engine alone
    may_have_run: bool = False  # an engine that charges may have charged for it
    cost_usd: float = 0.0  # it has cost so much all the same

    def __post_init__(self) -> None:
        object.__setattr__(self, "user_message", clean_text(self.user_message))
        object.__setattr__(self, "hint", clean_text(self.hint))
        object.__setattr__(self, "owner_hint", clean_text(self.owner_hint))


@dataclass(frozen=True, kw_only=True)
class Job:
    """One request in the queue. Frozen: the store holds the truth, this is a reading of it."""

    id: str
    request: GenerationRequest  # as it was asked for, complete
    drawn: GenerationRequest  # as it was bent to fit the present lane
    origin: Origin
    lane: str  # the backend it waits for or runs on
    candidates: tuple[str, ...]  # all lanes that could run it, best first
    status: JobStatus = JobStatus.QUEUED
    weight: float = 1.0
    is_pinned: bool = False  # this engine was asked for by name: no other will do
    attempt: int = 1
    interruptions: int = 0  # how often Easel stopped while it ran
    tried: tuple[str, ...] = ()  # lanes given up on
    notes: tuple[str, ...] = ()  # what was changed to fit the backend, and why it moved
    remote_id: str | None = None
    intent: str | None = None  # it was being sent to its engine, which knows it by this; no id has come back yet
    result: JobResult | None = None
    error: JobError | None = None
    created_at: datetime
    not_before: datetime | None = None
    away_since: datetime | None = None  # its engine was gone when it was sent there, since when
    started_at: datetime | None = None
    finished_at: datetime | None = None
    delivered_at: datetime | None = None
    words_gone_at: datetime | None = None  # its prompt was deleted, so it cannot be drawn again

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", clean_notes(self.notes))

    @property
    def user_key(self) -> str:
        return self.origin.user_key

    @property
    def settled(self) -> GenerationRequest:
        """The request as it was drawn, in the size that its pictures have."""
        if self.drawn.guide is None:
            return self.drawn
        return replace(self.drawn, width=self.request.width, height=self.request.height)

    @property
    def short_id(self) -> str:
        return self.id.rpartition("_")[2][:6]  # the ids of one dialect begin with the same words

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL


class Ticket(NamedTuple):
    """As much of a job as its place in line needs."""

    id: str
    lane: str
    user_key: str
    cost: float
    weight: float
    model: str | None
    created_at: datetime
    not_before: datetime | None
    away_since: datetime | None
    priority: Priority


def ticket_of(job: Job) -> Ticket:
    """Return the place in line of a job that was read whole."""
    return Ticket(
        id=job.id,
        lane=job.lane,
        user_key=job.user_key,
        cost=job.drawn.cost,
        weight=job.weight,
        model=job.drawn.model,
        created_at=job.created_at,
        not_before=job.not_before,
        away_since=job.away_since,
        priority=job.origin.priority,
    )


def going_on(job: Job, origin: Origin, changes: Draft | None = None) -> Origin:
    """Return an origin as `child_of` does, of a job that keeps what was asked for on the way to it."""
    changes = changes or Draft()
    asked = tuple(dict.fromkeys((*job.origin.asked, *asked_in(changes))))
    return child_of(job, replace(origin, asked=asked, styles=changes.styles or job.origin.styles))


def child_of(job: Job, origin: Origin) -> Origin:
    """Return an origin that says from which job its own was made."""
    return replace(
        origin,
        spoiler=origin.spoiler or job.origin.spoiler,
        parent_job_id=job.id,
        parent_user_id=job.origin.user_id,
        parent_channel_id=job.origin.channel_id,
        parent_message_id=job.origin.message_id,
    )


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The progress of a running job. `fraction` 0..1; `preview` is a small JPEG, PNG or WebP.

    `is_drawn`: its engine is done with it and free for the next, the pictures are on their way.
    """

    fraction: float = 0.0
    step: int | None = None
    steps: int | None = None
    preview: bytes | None = field(default=None, repr=False)
    eta_s: float | None = None
    note: str = ""  # "loading the model", "2nd in the engine's own queue"
    is_drawn: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "fraction", finite(self.fraction, 0.0, 1.0))
        object.__setattr__(self, "note", clean_line(self.note))
        for name in ("step", "steps"):
            if (number := getattr(self, name)) is not None:
                object.__setattr__(self, name, whole(number, 0, MAX_NUMBER))
        if self.eta_s is not None:
            object.__setattr__(self, "eta_s", finite(self.eta_s, 0.0, MAX_SECONDS))


class Hold(StrEnum):
    """The reason a waiting job's engine starts nothing now."""

    NONE = ""
    DOWN = "down"  # it does not answer
    PAUSED = "paused"  # it asked to be left alone for a while
    STOPPED = "stopped"  # an admin has paused it


@dataclass(frozen=True, kw_only=True)
class Away:
    """An engine that is gone, as one job's owner is told: why ("refused"), since when, and how long the job waits."""

    reason: str
    since: datetime
    patience_s: float


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A job as watchers see it now: the row, how far it is, and where it stands in line (1 = next)."""

    job: Job
    progress: Progress | None = None
    position: int | None = None
    eta_s: float | None = None  # seconds until it is expected to start (queued) or to be done (running)
    hold: Hold = Hold.NONE
    hold_s: float = 0.0  # seconds until the engine is tried again; 0 = not known
    away: Away | None = None  # the engine is gone, and the job waits for its return
