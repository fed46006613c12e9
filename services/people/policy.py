"""Who may see a job, and who may change it: the one rule, for every door.

- Your own: always, wherever one is.
- Somebody else's private one: never. Moderators and admins are no exception; it is as if it were not there.
- What others made in the open, where they made it: a job of the API is there for everybody who may call the API, one of
  Discord in the channel of its message. In another channel or server even a known id leads nowhere: who is there may
  not be able to read that channel, and only Discord knows. An admin of the API sees all that is open.
- A visitor by a link from Discord also sees the job that the link opens: who made the link could see it.
- Changing takes seeing it first, and then to own it or to moderate where it is.

`store/visibility.py` has the same rule as SQL for lists; a test holds the two together.
"""

from dataclasses import dataclass

from generation.errors import NotAllowed
from generation.job import Job

OPEN_DOOR = "api"  # has no rooms: what is made there is for everybody who may come in


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who asks for something to be done with a job, and from where.

    `door`: empty where it is the one in `user_key`. `is_moderator`: of `channel_id` in Discord, of everything in the
    API. `job_id`: the job that this visitor's link opens.
    """

    user_key: str
    is_moderator: bool = False
    door: str = ""
    channel_id: str | None = None
    job_id: str = ""


def may_see(actor: Actor, job: Job) -> bool:
    if actor.user_key == job.user_key or actor.job_id == job.id:
        return True
    return not job.origin.private and _is_where_it_was_made(actor, job)


def may_change(actor: Actor, job: Job) -> bool:
    return may_see(actor, job) and is_in_charge(actor, job.user_key)


def is_in_charge(actor: Actor, owner: str) -> bool:
    """Return whether somebody may change what this person made, given that they may see it."""
    return actor.user_key == owner or actor.is_moderator


def may_use(actor: Actor, job: Job) -> bool:
    """Return whether somebody who has the id of a picture of this job may use it: nobody guesses such an id."""
    return not job.origin.private or may_see(actor, job)


def check_change(actor: Actor, job: Job, verb: str) -> None:
    """Refuse a change to who may only look.

    Raises:
        NotAllowed: it is somebody else's.
    """
    if not may_change(actor, job):
        raise NotAllowed(f"Only the person who asked for this picture and moderators may {verb} it.")


def _is_where_it_was_made(actor: Actor, job: Job) -> bool:
    door = actor.door or actor.user_key.partition(":")[0]
    if door == OPEN_DOOR:
        return job.origin.door == OPEN_DOOR or actor.is_moderator
    return (door, actor.channel_id) == (job.origin.door, job.origin.channel_id)
