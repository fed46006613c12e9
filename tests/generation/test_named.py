"""Near names: what may have been meant."""

import pytest

from generation.named import nearest, unknown

SAMPLERS = ("Euler", "Euler a", "DPM++ 2M", "DPM++ 2M SDE", "UniPC")


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        ("euler b", ["Euler", "Euler a"]),
        ("dpm++", ["DPM++ 2M", "DPM++ 2M SDE"]),
        ("unipcc", ["UniPC"]),
        ("banana", []),
        ("", []),
    ],
)
def test_what_may_have_been_meant_is_named(wanted: str, near: list[str]) -> None:
    assert sorted(nearest(wanted, SAMPLERS)) == sorted(near)


def test_long_lists_and_long_names_stay_short() -> None:
    names = [f"{'x' * 100}-{number}" for number in range(5000)]
    assert len(nearest("x" * 90, names)) == 3
    assert len(unknown("LoRA", "x" * 90, names)) < 300
