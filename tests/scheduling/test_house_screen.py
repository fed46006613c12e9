"""Finished pictures that seem not safe for work are covered, blurred or held back, as the rules of their server say."""

from io import BytesIO

import pytest
from PIL import Image

from generation.errors import ContentBlocked
from generation.house import Flagged
from generation.job import Origin
from generation.result import GeneratedImage, GenerationResult
from scheduling.checking import SafetyScreen
from scheduling.house_screen import HouseScreen
from tests.fakes import FakeCheck
from tests.jobs import make_job
from texts.text import english

IN_DISCORD = Origin(door="discord", user_id="1", guild_id="3", channel_id="5")
IN_STUDIO = Origin(door="api", user_id="1", account="discord:1")


class FixedRules:
    def __init__(self, flagged):
        self.flagged = flagged

    async def fate(self, origin):
        return self.flagged

    def may_preview(self, origin):
        return self.flagged is Flagged.UNCHECKED


def striped():
    image = Image.new("RGB", (64, 32), "white")
    for x in range(0, 64, 4):
        image.paste((0, 0, 0), (x, 0, x + 2, 32))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def result_of(count):
    return GenerationResult(images=tuple(GeneratedImage(data=striped(), seed=n) for n in range(count)))


async def screened(flagged, scores, *, origin=IN_DISCORD, always=None):
    screen = HouseScreen(None if scores is None else FakeCheck(*scores), threshold=0.5, always=always)
    screen.rules = FixedRules(flagged)
    return await screen.screened(make_job("ann", "gpu", origin=origin), result_of(len(scores or (1,))))


async def test_where_no_rule_wants_it_nothing_is_looked_at():
    result = await screened(Flagged.UNCHECKED, [0.99])
    assert (len(result.images), result.notes, result.is_covered) == (1, (), False)


async def test_what_seems_harmless_is_kept_as_it_is():
    for fate in Flagged:
        result = await screened(fate, [0.1, 0.49])
        assert (len(result.images), result.notes, result.is_complete) == (2, (), True)


async def test_held_back_pictures_leave_words():
    result = await screened(Flagged.HIDDEN, [0.1, 0.9])
    assert [image.seed for image in result.images] == [0]
    assert "1 picture was held back" in english(result.notes[0])
    with pytest.raises(ContentBlocked, match="2 pictures were held back"):
        await screened(Flagged.HIDDEN, [0.8, 0.9])


async def test_a_blurred_copy_has_the_size_and_shows_nothing():
    result = await screened(Flagged.BLURRED, [0.9])
    image = Image.open(BytesIO(result.images[0].data))
    shades = image.convert("L").getextrema()
    assert image.size == (64, 32)
    assert shades[1] - shades[0] < 40, "the stripes are gone"
    assert "is blurred" in english(result.notes[0])
    assert not result.is_complete, "it is no answer for the cache"


async def test_a_covered_picture_is_kept_and_marked():
    result = await screened(Flagged.COVERED, [0.9, 0.1])
    assert (len(result.images), result.is_covered) == (2, True)
    assert result.images[0].data == striped()
    assert "behind a spoiler" in english(result.notes[0])


async def test_outside_discord_there_is_no_spoiler_so_it_is_blurred():
    result = await screened(Flagged.COVERED, [0.9], origin=IN_STUDIO)
    assert (result.images[0].data != striped(), result.is_covered) == (True, False)
    assert "is blurred" in english(result.notes[0])


@pytest.mark.parametrize("fate", [Flagged.COVERED, Flagged.BLURRED, Flagged.HIDDEN])
@pytest.mark.parametrize("scores", [[None], None], ids=["it fails", "there is none"])
async def test_what_cannot_be_looked_at_is_held_back_whatever_the_rule(fate, scores):
    with pytest.raises(ContentBlocked, match="could not look at it"):
        await screened(fate, scores)


async def test_what_cannot_be_blurred_is_held_back():
    screen = HouseScreen(FakeCheck(0.9), threshold=0.5)
    screen.rules = FixedRules(Flagged.BLURRED)
    broken = GenerationResult(images=(GeneratedImage(data=b"no picture", seed=1),))
    with pytest.raises(ContentBlocked, match="held back"):
        await screen.screened(make_job("ann", "gpu", origin=IN_DISCORD), broken)


async def test_the_filter_of_this_easel_goes_before_the_rules():
    always = SafetyScreen(check=FakeCheck(0.9), threshold=0.5)
    with pytest.raises(ContentBlocked):
        await screened(Flagged.UNCHECKED, [0.9], always=always)


def test_no_preview_is_shown_where_finished_pictures_are_checked():
    job = make_job("ann", "gpu", origin=IN_DISCORD)
    screen = HouseScreen(FakeCheck(0.1), threshold=0.5)
    for fate in Flagged:
        screen.rules = FixedRules(fate)
        assert screen.may_preview(job) is (fate is Flagged.UNCHECKED)
    always = HouseScreen(None, threshold=0.5, always=SafetyScreen(check=FakeCheck(0.1), threshold=0.5))
    assert not always.may_preview(job)
