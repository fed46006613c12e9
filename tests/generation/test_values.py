"""Frozen values with some fields changed."""

from dataclasses import dataclass, replace
from functools import cached_property

import pytest

from generation.options import validate
from generation.request import Draft
from generation.values import changed


@dataclass(frozen=True, kw_only=True)
class Circle:
    radius: float
    colour: str = "red"

    def __post_init__(self):
        if self.radius < 0:
            raise ValueError(self.radius)

    @cached_property
    def width(self):
        return 2 * self.radius


def test_a_changed_value_is_what_replace_makes():
    circle = Circle(radius=1.0)
    assert circle.width == 2.0
    assert changed(circle, radius=3.0) == replace(circle, radius=3.0)
    assert changed(circle, radius=3.0).width == 6.0
    assert changed(circle, colour="red", radius=1.0 + 1.0).colour == "red"
    assert circle == Circle(radius=1.0)
    draft = Draft(prompt="a fox", seed=3)
    assert changed(draft, seed=-1, prompt="a \ud800fox") == replace(draft, seed=-1, prompt="a \ud800fox")


def test_what_a_class_checks_is_checked_again_and_a_field_it_lacks_is_a_fault():
    with pytest.raises(ValueError, match="-1"):
        changed(Circle(radius=1.0), radius=-1)
    with pytest.raises(TypeError, match="Circle has no sides"):
        changed(Circle(radius=1.0), sides=3)


def test_what_was_found_valid_is_so_only_as_it_stands():
    draft = Draft(prompt="a fox", width=512)
    validate(draft)
    assert changed(draft, width=draft.width).is_valid
    assert not changed(draft, width=99).is_valid
