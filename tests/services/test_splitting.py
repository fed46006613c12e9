"""One request as several jobs: how many pictures each has, and with which seed."""

import pytest

from constants import MAX_SEED
from generation.request import Draft
from services.drawing.splitting import most_at_once, repeated, split

FOX = Draft(prompt="a fox")


@pytest.mark.parametrize(
    ("count", "most", "sizes"), [(1, 4, [None]), (4, 4, [4]), (5, 2, [2, 2, 1]), (3, 1, [1, 1, 1]), (3, 0, [1, 1, 1])]
)
def test_pictures_are_shared_out_as_engines_take_them(count, most, sizes):
    assert [part.batch_size for part in split(FOX, count, max(1, most))] == sizes


def test_a_chosen_seed_counts_up_and_none_is_left_to_chance():
    seeded = Draft(prompt="a fox", seed=MAX_SEED)
    assert [part.seed for part in split(seeded, 5, 2)] == [MAX_SEED, 1, 3]
    assert [part.seed for part in repeated(seeded, 3)] == [MAX_SEED, 0, 1]
    assert {part.seed for part in repeated(FOX, 3)} == {None}


def test_where_no_engine_is_known_each_job_has_one_picture():
    assert most_at_once([]) == 1
