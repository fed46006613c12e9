"""Dataclasses and patterns that are made at their first use: to everybody else they are as those of Python."""

import dataclasses
import inspect
import re
import sys
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

import lazy

DECORATORS = pytest.mark.parametrize("decorate", [dataclasses.dataclass, lazy.dataclass])


def _is_made(cls: type) -> bool:
    return inspect.isfunction(vars(cls)["__init__"])


def _animal(decorate: Any) -> Any:
    @decorate(frozen=True, kw_only=True)
    class Animal:
        """It has a name."""

        LEGS: ClassVar[int] = 4
        name: str
        friends: tuple[str, ...] = ()
        tags: list[str] = dataclasses.field(default_factory=list)
        age: int = dataclasses.field(default=3, compare=False)

        def __post_init__(self) -> None:
            if not self.name:
                raise ValueError("no name")

    return Animal


@DECORATORS
def test_a_value_is_as_one_of_pythons_own(decorate: Any):
    Animal = _animal(decorate)
    assert Animal.age == 3
    assert Animal.friends == ()
    assert not hasattr(Animal, "tags")
    fox = Animal(name="fox")
    assert repr(fox).endswith("Animal(name='fox', friends=(), tags=[], age=3)")
    assert fox == Animal(name="fox", age=7) != Animal(name="owl")
    assert hash(dataclasses.replace(fox, tags=())) == hash(Animal(name="fox", tags=(), age=9))  # type: ignore[call-overload]
    assert dataclasses.asdict(fox) == {"name": "fox", "friends": (), "tags": [], "age": 3}
    assert [field.name for field in dataclasses.fields(Animal)] == ["name", "friends", "tags", "age"]
    assert list(inspect.signature(Animal).parameters) == ["name", "friends", "tags", "age"]
    assert Animal.__doc__ == "It has a name."
    assert Animal.LEGS == 4
    with pytest.raises(dataclasses.FrozenInstanceError):
        fox.name = "owl"
    with pytest.raises(dataclasses.FrozenInstanceError):
        del fox.name
    with pytest.raises(ValueError, match="no name"):
        Animal(name="")
    with pytest.raises(TypeError, match=r"Animal\.__init__\(\) missing 1 required keyword-only argument: 'name'"):
        Animal()


@DECORATORS
@pytest.mark.parametrize("base_decorate", [dataclasses.dataclass, lazy.dataclass])
def test_a_class_on_top_of_another_has_its_fields_too(decorate: Any, base_decorate: Any):
    @decorate(frozen=True, kw_only=True)
    class Fox(_animal(base_decorate)):
        colour: str = "red"
        age: int = 1

    assert Fox(name="mia") == Fox(name="mia", friends=(), tags=[], age=1, colour="red")
    assert Fox(name="mia") != Fox(name="mia", age=2)


@DECORATORS
def test_a_class_of_its_own_on_top_calls_the_first_one(decorate: Any):
    @decorate
    class Point:
        x: int
        y: int = 0

    class Named(Point):  # type: ignore[misc, valid-type]
        def __init__(self, name: str) -> None:
            super().__init__(1)
            self.name = name

    assert vars(Named("a")) == {"x": 1, "y": 0, "name": "a"}
    match Point(2, 3):
        case Point(x, y):
            assert (x, y) == (2, 3)
    point = Point(2, 3)
    point.x = 5
    assert point == Point(5, 3)


@DECORATORS
def test_who_makes_his_instances_himself_goes_on_doing_so(decorate: Any):
    @decorate
    class Own:
        x: int

        def __init__(self) -> None:
            self.x = 1

    @decorate(slots=True)
    class Slotted:
        x: int

    assert Own() == Own()
    assert Slotted(1) == Slotted(1)
    assert not hasattr(Slotted(1), "__dict__")


def test_nothing_is_made_before_it_is_used():
    first, second = _animal(lazy.dataclass), _animal(lazy.dataclass)
    assert not _is_made(first)
    first(name="fox")
    assert dataclasses.is_dataclass(second)
    assert _is_made(second)
    assert _is_made(first)


@pytest.fixture
def busy() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("busy")
def test_threads_that_want_the_first_instance_at_once_all_get_one():
    for _ in range(20):
        animal, start, names = _animal(lazy.dataclass), threading.Barrier(4), []

        def make(animal: Any = animal, start: threading.Barrier = start, names: list[str] = names) -> None:
            start.wait()
            names.append(animal(name="fox").name)

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert names == ["fox"] * 4


def test_a_pattern_is_as_one_of_pythons_own():
    fox = lazy.pattern(r"(?P<colour>\w+) fox", re.IGNORECASE)
    assert fox.pattern == r"(?P<colour>\w+) fox"
    assert fox.flags == re.compile(r"(?P<colour>\w+) fox", re.IGNORECASE).flags
    assert (found := fox.fullmatch("Red Fox"))
    assert found["colour"] == "Red"
    assert fox.sub(r"\g<colour> owl", "a red fox") == "a red owl"
    assert [match[0] for match in fox.finditer("red fox, blue fox")] == ["red fox", "blue fox"]


def test_a_pattern_is_compiled_once_and_not_before_it_is_used(monkeypatch: pytest.MonkeyPatch):
    compiled, compile = [], re.compile
    monkeypatch.setattr(re, "compile", lambda text, flags=0: compiled.append(text) or compile(text, flags))
    fox = lazy.pattern("fox")
    assert compiled == []
    assert fox.search("a fox")
    assert fox.search("a fox")
    assert fox.match("fox")
    assert compiled == ["fox"]
