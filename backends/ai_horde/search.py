"""Looking for a job whose id never reached us: Easel was killed, or the answer to its submission was lost.

Source: recorded `GET /v2/find_user` of AI Horde 5.1.5. With an account's own key it lists the account's jobs for as
long as the server keeps them, ended ones too: 20 minutes from the last picture. It does not say what they are, but each
picture tells its seed. The anonymous account is shown none.
"""

from collections.abc import Iterable
from typing import Final, Protocol

from backends.ai_horde.answers import HordeCheck, HordeStatus
from backends.ai_horde.errors import JobForgotten
from backends.base import KnownIds
from generation.request import GenerationRequest
from utils.clock import Clock

SEED_RANGE: Final = 2**32  # of the seeds that a Horde gives its workers


class Account(Protocol):
    """The requests to a server about a job."""

    async def check(self, remote_id: str) -> HordeCheck: ...

    async def status(self, remote_id: str) -> HordeStatus: ...


async def find(
    account: Account,
    remote_ids: Iterable[str],
    request: GenerationRequest,
    known: KnownIds,
    clock: Clock,
    pause_s: float,
) -> str | None:
    """Return which of an account's jobs drew this request and is no other job's of ours; None when there is none.

    It waits until the jobs that could be it have a picture: an id that is guessed brings somebody else's.
    """
    left = list(remote_ids)
    while True:
        others = await known()
        left = [remote_id for remote_id in left if remote_id not in others]
        for remote_id in tuple(left):
            verdict = await _is_it(account, remote_id, request)
            if verdict:
                return remote_id
            if verdict is False:
                left.remove(remote_id)
        if not left:
            return None
        await clock.sleep(pause_s)


async def _is_it(account: Account, remote_id: str, request: GenerationRequest) -> bool | None:
    """Return whether a job is the one for this request; None while it has no picture that would tell."""
    try:
        check = await account.check(remote_id)
        pictures = check.finished + check.processing + check.waiting
        if pictures > request.batch_size or check.is_dead:
            return False
        if not check.finished:
            return False if check.done or check.faulted else None
        status = await account.status(remote_id)
    except JobForgotten:
        return False
    seeds = {generation.seed_or(-1) for generation in status.generations}
    if any((seed - request.seed) % SEED_RANGE == 0 for seed in seeds if seed >= 0):
        return True
    return False if check.done else None
