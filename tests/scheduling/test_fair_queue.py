"""Whose turn it is: fairness between users, order inside one user, memory of users who are gone."""

from datetime import UTC, datetime

from generation.job import Ticket
from generation.request import Priority
from scheduling.fair_queue import FairQueue


def _drain(queue: FairQueue, **how: object) -> list[str]:
    order = []
    while (served := queue.pop(**how)) is not None:  # type: ignore[arg-type]
        order.append(served.job_id)
    return order


def test_second_user_is_served_before_the_first_users_third_job() -> None:
    queue = FairQueue()
    for number in range(1, 5):
        queue.push("ann", f"a{number}", 10)
    queue.pop()
    queue.push("bob", "b1", 10)
    assert _drain(queue).index("b1") < 2


def test_users_take_turns() -> None:
    queue = FairQueue()
    for user in "ab":
        for number in range(3):
            queue.push(user, f"{user}{number}", 10)
    assert _drain(queue) == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_dear_jobs_count_for_more_turns() -> None:
    queue = FairQueue()
    for number in range(3):
        queue.push("dear", f"d{number}", 30)
    for number in range(9):
        queue.push("cheap", f"c{number}", 10)
    order = _drain(queue)
    assert [name for name in order[:8] if name[0] == "d"] == ["d0", "d1"]


def test_twice_the_weight_gets_twice_the_turns() -> None:
    queue = FairQueue()
    for number in range(20):
        queue.push("heavy", f"h{number}", 10, weight=2)
        queue.push("light", f"l{number}", 10)
    first = _drain(queue)[:15]
    assert sum(name[0] == "h" for name in first) == 10


def test_newcomer_starts_at_the_present_and_owes_nobody_the_past() -> None:
    queue = FairQueue()
    for number in range(20):
        queue.push("old", f"o{number}", 10)
    for _ in range(10):
        queue.pop()
    queue.push("new", "n0", 10)
    queue.push("new", "n1", 10)
    order = _drain(queue)
    assert order.index("n0") <= 1
    assert order.index("n1") >= 2


def test_an_endless_line_of_newcomers_does_not_starve_a_waiting_user() -> None:
    queue = FairQueue()
    for number in range(3):
        queue.push("patient", f"p{number}", 10)
    served = []
    for number in range(200):
        queue.push(f"newcomer{number}", f"n{number}", 1)
        served.append(queue.pop().job_id)  # type: ignore[union-attr]
    assert {"p0", "p1", "p2"} <= set(served)


def test_a_user_who_always_waits_loses_nothing_to_dear_strangers() -> None:
    """One pushes all at once, one keeps a single job waiting: both are backlogged, so both get the same."""
    queue = FairQueue()
    for number in range(60):
        queue.push("deep", f"deep{number}", 1)
    queue.push("thin", "thin0", 1)
    counts = {"deep": 0, "thin": 0, "stranger": 0}
    for number in range(80):
        if number % 4 == 0:
            queue.push(f"stranger{number}", f"s{number}", 10)
        user = queue.pop().user_key  # type: ignore[union-attr]
        counts[user if user in counts else "stranger"] += 1
        if user == "thin":
            queue.push("thin", f"thin{number + 1}", 1)
        assert abs(counts["deep"] - counts["thin"]) <= 2


def test_cancelling_moves_the_users_own_later_jobs_up() -> None:
    queue = FairQueue()
    for number in range(3):
        queue.push("ann", f"a{number}", 10)
    for number in range(3):
        queue.push("bob", f"b{number}", 10)
    assert queue.position("a2") == 5
    assert queue.remove("a0")
    assert _drain(queue) == ["a1", "b0", "a2", "b1", "b2"]


def test_cancelling_never_moves_a_job_back() -> None:
    queue = FairQueue()
    for number in range(3):
        queue.push("blocked", f"x{number}", 10)
    for number in range(10):
        queue.push("other", f"o{number}", 10)
    for _ in range(8):
        queue.pop(blocked={"blocked"})
    before = {job: queue.position(job) or 0 for job in ("x1", "x2")}
    queue.remove("x0")
    assert all((queue.position(job) or 99) <= place for job, place in before.items())


def test_a_removed_or_unknown_job_has_no_place() -> None:
    queue = FairQueue()
    queue.push("ann", "a", 1)
    assert queue.remove("a")
    assert not queue.remove("a")
    assert queue.position("a") is None
    assert "a" not in queue
    assert queue.pop() is None
    assert queue.total_cost == 0


def test_blocked_users_are_passed_over_and_keep_their_place() -> None:
    queue = FairQueue()
    queue.push("ann", "a", 10)
    queue.push("bob", "b", 10)
    assert queue.pop(blocked={"ann"}).job_id == "b"  # type: ignore[union-attr]
    assert queue.pop(blocked={"ann"}) is None
    assert queue.position("a") == 1


def test_a_job_put_back_is_next_even_before_those_of_blocked_users() -> None:
    queue = FairQueue()
    queue.push("ann", "a0", 10)
    queue.push("ann", "a1", 10)
    queue.push("bob", "b0", 10)
    queue.push("bob", "b1", 10)
    queue.pop(blocked={"bob"})
    served = queue.pop(blocked={"bob"})
    assert served is not None
    queue.push_back(served.user_key, served.job_id, served.cost, model=served.model)
    assert queue.jobs() == ["a1", "b0", "b1"]
    assert queue.position("a1") == 1


def test_position_and_cost_ahead_count_everything_before() -> None:
    queue = FairQueue()
    for number, cost in enumerate([5, 7, 11]):
        queue.push(f"user{number}", f"j{number}", cost)
    assert [queue.position(f"j{n}") for n in range(3)] == [1, 2, 3]
    assert [queue.cost_ahead(f"j{n}") for n in range(3)] == [0, 5, 12]
    assert queue.total_cost == 23


def test_cost_far_ahead_is_reckoned_by_the_mean() -> None:
    queue = FairQueue()
    for number in range(1000):
        queue.push(f"user{number}", f"j{number}", 2)
    assert queue.cost_ahead("j900") == 1800


def test_warm_model_goes_first_inside_one_users_equal_jobs() -> None:
    queue = FairQueue()
    queue.push("ann", "a-cold", 10, model="cold")
    queue.push("ann", "a-warm", 10, model="warm")
    queue.push("bob", "b", 10, model="cold")
    assert _drain(queue, warm_model="warm") == ["a-warm", "b", "a-cold"]


def test_warm_model_jumps_neither_other_users_nor_dearer_jobs_nor_far() -> None:
    queue = FairQueue()
    queue.push("ann", "a-cold", 10, model="cold")
    queue.push("bob", "b-warm", 10, model="warm")
    queue.push("ann", "a-dear", 20, model="warm")
    for number in range(3):
        queue.push("ann", f"a{number}", 10, model="cold")
    queue.push("ann", "a-far", 10, model="warm")
    assert queue.pop(warm_model="warm").job_id == "a-cold"  # type: ignore[union-attr]


def test_a_cold_job_is_passed_only_a_few_times() -> None:
    queue = FairQueue()
    queue.push("ann", "cold", 10, model="cold")
    order = []
    for number in range(20):
        queue.push("ann", f"w{number}", 10, model="warm")
        order.append(queue.pop(warm_model="warm").job_id)  # type: ignore[union-attr]
    assert order.index("cold") <= 4


def test_memory_of_idle_users_is_bounded() -> None:
    queue = FairQueue()
    for number in range(5000):
        queue.push(f"user{number}", f"j{number}", 10)
        queue.pop()
    assert len(queue._ends) < 200


def test_memory_of_idle_users_is_bounded_beside_a_backlog() -> None:
    queue = FairQueue()
    for number in range(10):
        queue.push("backlogged", f"b{number}", 1000)
    for number in range(5000):
        queue.push(f"user{number}", f"j{number}", 10)
        queue.pop()
        if len(queue) < 5:
            queue.push("backlogged", f"more{number}", 1000)
    assert len(queue._ends) < 1000


def test_a_job_goes_before_its_users_others_and_nobody_elses_turn_moves() -> None:
    queue = FairQueue()
    for user in "ab":
        for number in range(3):
            queue.push(user, f"{user}{number}", 10)
    assert queue.to_front("a2")
    assert _drain(queue) == ["a2", "b0", "a0", "b1", "a1", "b2"]


def test_a_dear_job_that_goes_first_makes_its_users_others_later() -> None:
    queue = FairQueue()
    queue.push("a", "a0", 10)
    queue.push("a", "dear", 100)
    for number in range(3):
        queue.push("b", f"b{number}", 10)
    assert queue.to_front("dear")
    queue.push("a", "a1", 10)
    assert _drain(queue) == ["dear", "b0", "b1", "b2", "a0", "a1"]


def test_only_a_waiting_job_that_is_not_first_can_go_to_the_front() -> None:
    queue = FairQueue()
    queue.push("a", "a0", 10)
    assert not queue.to_front("a0")
    assert not queue.to_front("nobody")


def test_a_job_that_was_put_in_front_is_not_passed_over_for_a_loaded_model() -> None:
    queue = FairQueue()
    for number in range(3):
        queue.push("a", f"a{number}", 10, model="warm")
    queue.push("a", "cold", 10, model="cold")
    assert queue.to_front("cold")
    assert _drain(queue, warm_model="warm")[0] == "cold"


def test_an_urgent_job_goes_before_what_waits_of_others_and_of_its_own_user() -> None:
    queue = FairQueue()
    for user in "abc":
        for number in range(4):
            queue.push(user, f"{user}{number}", 10)
    queue.pop()
    queue.push("a", "now", 10, priority=Priority.HIGH)
    assert queue.position("now") == 1
    assert _drain(queue)[0] == "now"


def test_endless_urgent_jobs_of_many_users_starve_nobody() -> None:
    queue = FairQueue()
    for number in range(3):
        queue.push("patient", f"p{number}", 10)
    served = []
    for number in range(200):
        for user in range(3):
            queue.push(f"hasty{user}", f"h{user}-{number}", 10, priority=Priority.HIGH)
        served.append(queue.pop().job_id)  # type: ignore[union-attr]
    assert {"p0", "p1", "p2"} <= set(served)


def test_urgent_jobs_of_one_user_go_first_only_for_so_long_then_they_take_turns() -> None:
    queue = FairQueue()
    for number in range(40):
        queue.push("plain", f"p{number}", 10)
        queue.push("hasty", f"h{number}", 10, priority=Priority.HIGH)
    order = _drain(queue)
    assert all(name[0] == "h" for name in order[:3])
    assert {name[0] for name in order[6:10]} == {"h", "p"}


def test_an_urgent_job_that_comes_back_is_first_and_can_be_taken_out() -> None:
    queue = FairQueue()
    for number in range(3):
        queue.push("a", f"a{number}", 10)
    queue.push("a", "now", 10, priority=Priority.HIGH)
    served = queue.pop()
    assert served is not None
    assert served.job_id == "now"
    assert served.priority is Priority.HIGH
    queue.push_back("a", "now", 10, priority=served.priority)
    assert queue.position("now") == 1
    assert queue.remove("now")
    assert _drain(queue) == ["a0", "a1", "a2"]


def test_a_patient_job_goes_behind_what_waits_of_others_and_who_comes_soon() -> None:
    queue = FairQueue()
    for user in "abc":
        for number in range(3):
            queue.push(user, f"{user}{number}", 10)
    queue.push("a", "later", 10, priority=Priority.LOW)
    queue.push("new", "n0", 10)
    queue.push("a", "a3", 10)
    assert _drain(queue)[-1] == "later"


def test_a_patient_job_is_drawn_at_once_where_nothing_waits() -> None:
    queue = FairQueue()
    queue.push("a", "later", 10, priority=Priority.LOW)
    assert _drain(queue) == ["later"]


def test_an_endless_line_of_newcomers_does_not_hold_up_a_patient_job_for_ever() -> None:
    queue = FairQueue()
    for number in range(3):
        queue.push("old", f"o{number}", 10)
    queue.push("patient", "later", 10, priority=Priority.LOW)
    served = []
    for number in range(100):
        queue.push(f"new{number}", f"n{number}", 10)
        served.append(queue.pop().job_id)  # type: ignore[union-attr]
    assert served.index("later") > 5


def test_patient_people_take_turns_with_each_other() -> None:
    queue = FairQueue()
    queue.push("x", "x0", 10)
    for user in "ab":
        for number in range(3):
            queue.push(user, f"{user}{number}", 10, priority=Priority.LOW)
    assert _drain(queue) == ["x0", "a0", "b0", "a1", "b1", "a2", "b2"]


def test_what_a_patient_job_took_counts_against_its_users_next_one() -> None:
    queue = FairQueue()
    queue.push("both", "later", 10, priority=Priority.LOW)
    queue.pop()
    queue.push("both", "b0", 10)
    queue.push("other", "o0", 10)
    assert _drain(queue) == ["o0", "b0"]


def test_patient_jobs_are_put_in_line_at_a_start_as_they_were_one_by_one() -> None:
    def ticket(number: int, user: str, priority: Priority) -> Ticket:
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        return Ticket(f"{user}{number}", "gpu", user, 10, 1.0, None, moment, None, None, priority)

    tickets = [ticket(0, "late", Priority.LOW), ticket(1, "late", Priority.LOW)]
    tickets += [ticket(number, user, Priority.NORMAL) for number in range(2) for user in "ab"]
    one_by_one, at_once = FairQueue(), FairQueue()
    at_once.push_all(tickets)
    for each in tickets:
        one_by_one.push(each.user_key, each.id, each.cost, priority=each.priority)
    assert at_once.jobs() == one_by_one.jobs()
    assert at_once.jobs()[-2:] == ["late0", "late1"]


def test_a_patient_job_that_comes_back_is_not_paid_for_twice() -> None:
    queue = FairQueue()
    queue.push("a", "later", 10, priority=Priority.LOW)
    served = queue.pop()
    assert served is not None
    for _ in range(3):
        queue.push_back("a", "later", 10, priority=served.priority)
        assert queue.pop() == served
    queue.push("b", "b0", 10)
    queue.push("b", "b1", 10)
    queue.push("a", "a0", 10)
    assert _drain(queue) == ["a0", "b0", "b1"]
