"""An order that comes again, seed and all, is answered from memory; any other is drawn."""

import os

import pytest

from backends.base import BackendConfig
from backends.child import Child, ChildAnswer
from backends.embedded.backend import EmbeddedBackend
from backends.embedded.kind import KIND
from backends.recent import KEPT_S, RecentAnswers
from generation.request import Lora
from tests.backends.embedded.shelves import put_lora, put_model
from tests.backends.embedded.test_embedded_backend import MODULE, asked
from tests.contracts.backend_contract import _ignore

AGAIN = "the same was drawn a moment ago: the picture is that one"


class _Counted(Child):
    asked = 0

    async def ask(self, order, blobs=(), report=None):
        self.asked += 1
        return await super().ask(order, blobs, report)


@pytest.fixture
async def engine(tmp_path):
    put_model(tmp_path / "fox-sd15", "sd15")
    put_lora(tmp_path, "ink")
    options = {"models": str(tmp_path), "hf_home": str(tmp_path / "none")}
    config = BackendConfig(name="embedded", kind="embedded", options=options)
    engine = EmbeddedBackend(
        config, child=_Counted(MODULE), makers=lambda: frozenset({"diffusers"}), recent=RecentAnswers()
    )
    yield engine
    await engine.aclose()


async def test_the_same_request_is_drawn_once_and_the_second_answer_says_so(engine):
    first = await engine.generate(asked(), _ignore)
    again = await engine.generate(asked(), _ignore)
    assert (again.images, engine._child.asked) == (first.images, 1)
    assert (AGAIN in again.notes, AGAIN in first.notes) == (True, False)
    assert (await engine.generate(asked(seed=813), _ignore)).images != first.images
    assert engine._child.asked == 2


async def test_a_file_that_was_changed_is_drawn_with(engine, tmp_path):
    await engine.generate(asked(loras=(Lora(name="ink"),)), _ignore)
    os.utime(tmp_path / "loras" / "ink.safetensors", (1, 1))
    assert AGAIN not in (await engine.generate(asked(loras=(Lora(name="ink"),)), _ignore)).notes


def test_another_picture_to_go_on_from_is_another_request():
    recent = RecentAnswers()
    assert recent.key({"do": "draw"}, [b"red"]) == recent.key({"do": "draw"}, [b"red"])
    assert recent.key({"do": "draw"}, [b"red"]) != recent.key({"do": "draw"}, [b"blue"])


def test_answers_are_forgotten_after_a_while_and_the_oldest_first():
    now = [0.0]
    recent = RecentAnswers(most_bytes=25, clock=lambda: now[0])
    for name in "abc":
        recent.keep(name, ChildAnswer(values={}, blobs=(bytes(10),)))
        now[0] += 1
    assert [name for name in "abc" if recent.find(name)] == ["b", "c"]
    now[0] = KEPT_S + 1.5
    assert [name for name in "abc" if recent.find(name)] == ["c"]


def test_the_engine_of_easel_remembers(tmp_path):
    engine = KIND.make(BackendConfig(name="embedded", kind="embedded", options={"models": str(tmp_path)}))
    assert isinstance(engine._recent, RecentAnswers)
