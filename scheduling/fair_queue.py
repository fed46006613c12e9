"""Start-time fair queueing for one lane: every user has a virtual clock, the smallest start tag is served.

A job's tag is fixed when it arrives: right after the user's last job, but for an idle user not before the present.
Serving costs `cost / weight`, so a user with twenty jobs alternates with a newcomer instead of going first.
Serving also moves on where newcomers start, so that an endless line of them cannot hold up a user who waits already.
Urgent jobs have a clock of their own and a start that lies `URGENT_TURNS` of them in the past (docs/decisions/080),
patient ones a clock that starts behind all that waits when they come (docs/decisions/082).
Source: Goyal, Vin, Cheng, "Start-time Fair Queuing" (1996).
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Collection, Iterable

from constants import WARM_MODEL_LOOK_AHEAD
from generation.job import Ticket
from generation.request import Priority
from lazy import dataclass

TURNS_KEPT = 256  # more than run at once, or wait to be tried again
_BEFORE_ALL = 2**62
URGENT_TURNS = 4  # so many urgent jobs of a user, one after the other, go before what waits
PATIENT_TURNS = 4  # so many jobs of each newcomer go before a patient one, which comes behind what waits
MOST_LOOKED_BACK = 512  # patient jobs at the end of the line, to find the last one in turn
EXACT_COST_AHEAD = 512  # beyond this many places the wait is reckoned by the mean cost


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """A job taken from the queue, with all that is needed to put it back."""

    job_id: str
    user_key: str
    cost: float
    model: str | None
    priority: Priority = Priority.NORMAL


@dataclass(slots=True)
class _Waiting:
    tag: float
    seq: int
    user_key: str
    cost: float
    weight: float
    model: str | None
    priority: Priority = Priority.NORMAL
    ahead: float = 0.0  # how much earlier the tag is than the start that its clock gives it
    times_passed: int = 0  # how often a job with a warm model went first

    @property
    def clock(self) -> str:
        return _clock(self.user_key, self.priority)


def _clock(user_key: str, priority: Priority) -> str:
    return user_key if priority is Priority.NORMAL else f"{user_key} {priority}"


class FairQueue:
    """Waiting job ids of one lane in the order they will be served. Not thread-safe; no I/O."""

    def __init__(self) -> None:
        self._order: list[tuple[float, int, str]] = []
        self._waiting: dict[str, _Waiting] = {}
        self._by_user: dict[
            str, list[str]
        ] = {}  # what waits of each clock: a user's, or that of their urgent or patient jobs
        self._ends: dict[str, float] = {}
        self._now = 0.0  # the start tag served last: no user who comes back starts before it
        self._door = 0.0  # where users who were not here lately start: moves on with all that is served
        self._seq = 0
        self._turns: OrderedDict[str, int] = OrderedDict()  # which were served last, in their order
        self._total_cost = 0.0

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._waiting

    def push(
        self,
        user_key: str,
        job_id: str,
        cost: float,
        *,
        weight: float = 1.0,
        model: str | None = None,
        priority: Priority = Priority.NORMAL,
    ) -> None:
        """Add a job. `weight` above 1 makes a user's turns come sooner; nobody can starve."""
        self._add(job_id, self._entry(user_key, cost, weight, model, priority, self._last_in_turn(priority)))

    def push_all(self, tickets: Iterable[Ticket]) -> None:
        """Add many jobs as `push` would one after the other."""
        last, order = self._last_in_turn(Priority.LOW), self._order
        for ticket in tickets:
            entry = self._entry(ticket.user_key, ticket.cost, ticket.weight, ticket.model, ticket.priority, last)
            if entry.tag > last and entry.priority is not Priority.LOW:
                last = entry.tag
            order.append(self._note(ticket.id, entry))
        order.sort()

    def _last_in_turn(self, priority: Priority) -> float:
        """Return the latest tag behind which a patient job comes; of the others only the present counts."""
        if priority is not Priority.LOW:
            return self._now
        tag = self._now
        for tag, __, job_id in reversed(self._order[-MOST_LOOKED_BACK:]):
            if self._waiting[job_id].priority is not Priority.LOW:
                return max(tag, self._now)
        return max(tag, self._now) if len(self._order) > MOST_LOOKED_BACK else self._now

    def _entry(
        self, user_key: str, cost: float, weight: float, model: str | None, priority: Priority, last: float
    ) -> _Waiting:
        self._seq += 1
        clock = user_key if priority is Priority.NORMAL else _clock(user_key, priority)
        present, end = self._now, self._ends.get(clock)
        if end is None:
            end = max(present, self._door)
        start = end if end >= present or clock in self._by_user else present
        turn = cost / weight
        if priority is Priority.LOW:
            start = max(start, last + PATIENT_TURNS * turn)
        self._ends[clock] = start + turn
        ahead = URGENT_TURNS * turn if priority is Priority.HIGH else 0.0
        return _Waiting(start - ahead, self._seq, user_key, cost, weight, model, priority, ahead)

    def push_back(
        self,
        user_key: str,
        job_id: str,
        cost: float,
        *,
        model: str | None = None,
        priority: Priority = Priority.NORMAL,
    ) -> None:
        """Put a job that was already served in front again: its turn was paid for, its user's clock stands.

        Of several that come back, the one that was served first is first again, whichever is heard of first.
        """
        tag = min(self._now, self._order[0][0]) if self._order else self._now
        seq = self._turns[job_id] - _BEFORE_ALL if job_id in self._turns else min(self._first_seq, -_BEFORE_ALL) - 1
        entry = _Waiting(tag, seq, user_key, cost, 1.0, model, priority)
        self._add(job_id, entry)
        self._by_user[entry.clock].sort(key=self._index)

    def _add(self, job_id: str, entry: _Waiting) -> None:
        insort(self._order, self._note(job_id, entry))

    def _note(self, job_id: str, entry: _Waiting) -> tuple[float, int, str]:
        self._waiting[job_id] = entry
        clock = entry.user_key if entry.priority is Priority.NORMAL else entry.clock
        if own := self._by_user.get(clock):
            own.append(job_id)
        else:
            self._by_user[clock] = [job_id]
        self._total_cost += entry.cost
        return entry.tag, entry.seq, job_id

    @property
    def is_first_returned(self) -> bool:
        """Return whether the next one was served before, and came back."""
        return self._first_seq < 0

    @property
    def _first_seq(self) -> int:
        return self._order[0][1] if self._order else 0

    def pop(self, *, blocked: Collection[str] = (), warm_model: str | None = None) -> Served | None:
        """Take the next job of a user not in `blocked`.

        Only inside one user's own equal jobs, and only a few places ahead, one with the loaded model goes first.
        """
        for _, _, job_id in self._order:
            if self._waiting[job_id].user_key not in blocked:
                if warm_model is not None:
                    job_id = self._warmer(job_id, warm_model)
                entry = self._waiting[job_id]
                self._now = max(self._now, entry.tag)
                # as fast as if one more user were waiting: who comes now and then keeps a small advantage
                self._door = max(self._door, self._now) + entry.cost / entry.weight / (len(self._by_user) + 1)
                if entry.priority is Priority.LOW and entry.seq >= 0:
                    self._charge(entry)
                self._take_out(job_id)
                self._note_turn(job_id)
                return Served(
                    job_id=job_id,
                    user_key=entry.user_key,
                    cost=entry.cost,
                    model=entry.model,
                    priority=entry.priority,
                )
        return None

    def _charge(self, entry: _Waiting) -> None:
        """Let a patient job count when it is drawn: its user's next one in turn starts so much later."""
        start = max(self._now, self._ends.get(entry.user_key, 0.0))
        self._ends[entry.user_key] = start + entry.cost / entry.weight

    def _note_turn(self, job_id: str) -> None:
        if job_id not in self._turns:  # one that came back keeps its turn
            self._seq += 1
            self._turns[job_id] = self._seq
        while len(self._turns) > TURNS_KEPT:
            self._turns.popitem(last=False)

    def remove(self, job_id: str) -> bool:
        """Take a cancelled job out; the user's later jobs move up by what it would have cost."""
        gone = self._waiting.get(job_id)
        if gone is None:
            return False
        own = self._by_user[gone.clock]
        later = own[own.index(job_id) + 1 :]
        self._take_out(job_id)
        end = gone.tag + gone.ahead
        for other in later:
            entry = self._waiting[other]
            self._order.pop(self._index(other))
            start = min(entry.tag + entry.ahead, max(self._now, end))
            entry.tag, end = start - entry.ahead, start + entry.cost / entry.weight
            insort(self._order, (entry.tag, entry.seq, other))
        self._ends[gone.clock] = end
        return True

    def to_front(self, job_id: str) -> bool:
        """Serve a job before its user's others, at no cost to anybody else; false if it is not waiting or is first.

        Each place in line keeps the start it had, or gets a later one where a dearer job now comes before it.
        """
        entry = self._waiting.get(job_id)
        own = self._by_user[entry.clock] if entry else []
        if entry is None or own[0] == job_id:
            return False
        own.sort(key=self._index)
        moved = own[: own.index(job_id) + 1]
        starts = [(self._waiting[other].tag, self._waiting[other].seq) for other in own]
        for other in own:
            self._order.pop(self._index(other))
        own[: len(moved)] = [job_id, *moved[:-1]]
        end = float("-inf")
        for other, (tag, seq) in zip(own, starts, strict=True):
            item = self._waiting[other]
            item.tag, item.seq = max(tag, end), seq
            end = item.tag + item.cost / item.weight
            insort(self._order, (item.tag, item.seq, other))
        self._ends[entry.clock] = max(self._ends[entry.clock], end)
        entry.times_passed = WARM_MODEL_LOOK_AHEAD  # it was chosen: a loaded model does not come before it
        return True

    def position(self, job_id: str) -> int | None:
        """Place in line, 1 = next; None if it does not wait here."""
        return self._index(job_id) + 1 if job_id in self._waiting else None

    def cost_ahead(self, job_id: str) -> float:
        """Cost of everything served before this job."""
        index = self._index(job_id)
        if index > EXACT_COST_AHEAD:
            return index * self._total_cost / len(self._order)
        return sum(self._waiting[other].cost for _, _, other in self._order[:index])

    @property
    def total_cost(self) -> float:
        return self._total_cost

    def jobs(self, most: int | None = None) -> list[str]:
        """Return who waits, next one first."""
        return [job_id for _, _, job_id in self._order[:most]]

    def _index(self, job_id: str) -> int:
        entry = self._waiting[job_id]
        return bisect_left(self._order, (entry.tag, entry.seq, job_id))

    def _warmer(self, head: str, warm_model: str) -> str:
        first = self._waiting[head]
        if first.model == warm_model or first.times_passed >= WARM_MODEL_LOOK_AHEAD:
            return head
        for other in self._by_user[first.clock][1 : WARM_MODEL_LOOK_AHEAD + 1]:
            entry = self._waiting[other]
            if entry.model == warm_model and entry.cost == first.cost:
                # the two change places, tags included, so that nobody else notices
                i, j = self._index(head), self._index(other)
                first.tag, entry.tag = entry.tag, first.tag
                first.seq, entry.seq = entry.seq, first.seq
                self._order[i] = (entry.tag, entry.seq, other)
                self._order[j] = (first.tag, first.seq, head)
                own = self._by_user[first.clock]
                a, b = own.index(head), own.index(other)
                own[a], own[b] = other, head
                first.times_passed += 1
                return other
        return head

    def _take_out(self, job_id: str) -> None:
        self._order.pop(self._index(job_id))
        entry = self._waiting.pop(job_id)
        own = self._by_user[entry.clock]
        own.remove(job_id)
        self._total_cost = self._total_cost - entry.cost if self._order else 0.0
        if not own:
            del self._by_user[entry.clock]
            self._forget_idle_users()

    def _forget_idle_users(self) -> None:
        """Keep no clock whose last job ended in the past: memory stays bounded."""
        if len(self._ends) > 2 * len(self._by_user) + 64:
            self._ends = {u: end for u, end in self._ends.items() if end > self._door or u in self._by_user}
