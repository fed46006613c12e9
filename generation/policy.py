"""The one rule for every door of who may see a job, and who may change it.

- Your own: always, wherever one is.
- Somebody else's private one: never. Moderators and admins are no exception; it is as if it were not there.
- What others made in the open, where they made it: a job of the API is there for everybody who may call the API, one of
  Discord in the channel of its message. In another channel or server even a known id leads nowhere: who is there may
  not be able to read that channel, and only Discord knows. An admin of the API sees all that is open.
- Whoever may read a channel in Discord finds what was made there in the open (`Person.rooms`, which the door fills in).
- A visitor by a link from Discord also sees the job that the link opens: who made the link could see it.
- Changing takes seeing it first, and then to own it or to moderate where it is.

What a list holds must be decided in the database, or its pages would have holes: each rule for lists has its condition
in SQL beside it. A property test holds the two together (`tests/services/test_policy.py`).
"""

import json
from typing import Any, Final

from generation.errors import NotAllowed
from generation.job import Job
from generation.person import Person
from texts.text import _

OPEN_DOOR = "api"  # has no rooms: what is made there is for everybody who may come in


def is_listed(person: Person, job: Job) -> bool:
    """Return whether somebody finds a job and its pictures without having an id.

    In Discord these are your own and, where the door says which channels you read, what was made there in the open.
    """
    if person.user_key == job.user_key:
        return True
    if job.origin.private:
        return False
    if person.door == job.origin.door and job.origin.channel_id in person.rooms:
        return True
    return person.door == OPEN_DOOR and (job.origin.door == OPEN_DOOR or person.is_admin)


# `is_listed` as a condition on the columns with these facts, and its values.
LISTED: Final = "({owner} = :person OR ({is_private} = 0 AND (({door} = 'api' AND :is_here) OR :sees_all)))"
# The same for persons with rooms; apart, since no index serves both.
IN_ROOMS: Final = "({is_private} = 0 AND {door} = :own_door AND {channel} IN (SELECT value FROM json_each(:rooms)))"


def listing(person: Person) -> dict[str, Any]:
    is_here = person.door == OPEN_DOOR
    return {
        "person": person.user_key,
        "is_here": is_here,
        "sees_all": is_here and person.is_admin,
        "own_door": person.door,
        "rooms": json.dumps(sorted(person.rooms)),
    }


def may_see(person: Person, job: Job) -> bool:
    if is_listed(person, job) or person.job_id == job.id:
        return True
    is_where_it_stands = (person.door, person.channel_id) == (job.origin.door, job.origin.channel_id)
    return not job.origin.private and person.door != OPEN_DOOR and is_where_it_stands


def may_read_timeline(person: Person, job: Job) -> bool:
    """Return whether somebody may read what became of a job on its way: its owner, and admins who see it."""
    return person.user_key == job.user_key or (may_see(person, job) and (person.is_admin or person.is_manager))


def may_change(person: Person, job: Job) -> bool:
    return may_see(person, job) and is_in_charge(person, job.user_key)


def is_in_charge(person: Person, owner: str) -> bool:
    """Return whether somebody may change what this person made, given that they may see it."""
    return may_remove(person, owner) or person.is_moderator


def may_remove(person: Person, owner: str) -> bool:
    """Return whether somebody may take what they see of this person out of a list; moderators have channels only."""
    return person.user_key == owner or person.is_admin


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


def may_see_prompt(person: Person, owner: str, *, is_shared: bool) -> bool:
    """Return whether somebody may see and use a saved prompt of this person's."""
    return person.user_key == owner or is_shared


# `may_see_prompt` as a condition on the columns of the table.
PROMPT_SEEN: Final = "(user_key = :user_key OR is_shared)"


def may_change_prompt(person: Person, owner: str) -> bool:
    return person.user_key == owner


def whose_figures(person: Person) -> str | None:
    """Return whose figures somebody may see: their own; None: everybody's."""
    return None if person.is_admin else person.user_key
