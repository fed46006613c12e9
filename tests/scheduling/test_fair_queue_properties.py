"""Properties of the fair queue under any sequence of events."""

from hypothesis import given
from hypothesis import strategies as st

from scheduling.fair_queue import FairQueue

USERS = st.sampled_from("abcd")
COSTS = st.sampled_from([0.01, 1.0, 5.0, 20.0])
MODELS = st.sampled_from([None, "m1", "m2"])

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("push"), USERS, COSTS, MODELS, st.sampled_from([0.5, 1.0, 3.0])),
        st.tuples(st.just("pop"), st.sets(USERS, max_size=2), MODELS),
        st.tuples(st.just("remove"), st.integers(0, 30)),
        st.tuples(st.just("back")),
    ),
    max_size=60,
)


@given(EVENTS)
def test_every_job_leaves_exactly_once_and_the_index_stays_in_order(events: list[tuple]) -> None:
    queue = FairQueue()
    waiting: set[str] = set()
    left: list[str] = []
    last = None
    for number, event in enumerate(events):
        match event:
            case ("push", user, cost, model, weight):
                queue.push(user, f"j{number}", cost, weight=weight, model=model)
                waiting.add(f"j{number}")
            case ("pop", blocked, model):
                last = queue.pop(blocked=blocked, warm_model=model)
                if last is not None:
                    assert last.user_key not in blocked
                    waiting.remove(last.job_id)
                    left.append(last.job_id)
            case ("remove", which) if queue.jobs():
                job = queue.jobs()[which % len(queue)]
                assert queue.remove(job)
                waiting.remove(job)
                left.append(job)
            case ("back",) if last is not None:
                queue.push_back(last.user_key, last.job_id, last.cost, model=last.model)
                left.remove(last.job_id)
                waiting.add(last.job_id)
                assert queue.position(last.job_id) == 1
                last = None
        assert set(queue.jobs()) == waiting
        assert [queue.position(job) for job in queue.jobs()] == list(range(1, len(queue) + 1))
    expected = queue.jobs()
    popped = []
    while (served := queue.pop()) is not None:
        popped.append(served.job_id)
    assert popped == expected
    assert len(set(left + popped)) == len(left + popped)
    assert len(queue) == 0
    assert queue.total_cost == 0


@given(
    st.lists(COSTS, min_size=30, max_size=30),
    st.lists(COSTS, min_size=30, max_size=30),
    st.lists(st.tuples(st.integers(1, 20), COSTS), max_size=10),
    st.integers(1, 10),
)
def test_two_backlogged_users_never_differ_by_more_than_two_jobs(
    deep: list[float], thin: list[float], strangers: list[tuple[int, float]], kept: int
) -> None:
    """Whatever strangers do, and whether a user pushes all at once or keeps a few jobs waiting."""
    queue = FairQueue()
    thin_jobs = iter(enumerate(thin))
    for number, cost in enumerate(deep):
        queue.push("deep", f"deep{number}", cost)
    for _ in range(kept):
        number, cost = next(thin_jobs)
        queue.push("thin", f"thin{number}", cost)
    served = {"deep": 0.0, "thin": 0.0}
    most = max([*deep, *thin])
    for turn in range(20):
        for number, (at, cost) in enumerate(strangers):
            if at == turn:
                queue.push(f"stranger{turn}", f"s{number}", cost)
        job = queue.pop()
        assert job is not None
        if job.user_key in served:
            served[job.user_key] += job.cost
        if job.user_key == "thin" and (following := next(thin_jobs, None)):
            queue.push("thin", f"thin{following[0]}", following[1])
        assert abs(served["deep"] - served["thin"]) <= 2 * most


@given(st.lists(st.tuples(st.integers(0, 300), COSTS), min_size=50, max_size=120))
def test_served_users_are_forgotten(jobs: list[tuple[int, float]]) -> None:
    queue = FairQueue()
    for number, (user, cost) in enumerate(jobs):
        queue.push(f"user{user}", f"j{number}", cost)
        if number % 2:
            queue.pop()
    while queue.pop():
        pass
    assert len(queue._by_user) == 0
    assert len(queue._waiting) == 0
