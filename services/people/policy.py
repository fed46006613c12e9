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

from generation.errors import NotAllowed
from generation.job import Job
from generation.person import Person
from texts.text import _

OPEN_DOOR = "api"  # has no rooms: what is made there is for everybody who may come in


def may_see(person: Person, job: Job) -> bool:
    if person.user_key == job.user_key or person.job_id == job.id:
        return True
    return not job.origin.private and _is_where_it_was_made(person, job)


def may_change(person: Person, job: Job) -> bool:
    return may_see(person, job) and is_in_charge(person, job.user_key)


def is_in_charge(person: Person, owner: str) -> bool:
    """Return whether somebody may change what this person made, given that they may see it."""
    return person.user_key == owner or person.is_moderator or person.is_admin


def may_use(person: Person, job: Job) -> bool:
    """Return whether somebody who has the id of a picture of this job may use it: nobody guesses such an id."""
    return not job.origin.private or may_see(person, job)


def check_change(person: Person, job: Job, verb: str) -> None:
    """Refuse a change to who may only look.

    Raises:
        NotAllowed: it is somebody else's.
    """
    if not may_change(person, job):
        raise NotAllowed(_("Only the person who asked for this picture and moderators may {verb} it.", verb=verb))


def _is_where_it_was_made(person: Person, job: Job) -> bool:
    if person.door == OPEN_DOOR:
        return job.origin.door == OPEN_DOOR or person.is_admin
    return (person.door, person.channel_id) == (job.origin.door, job.origin.channel_id)
