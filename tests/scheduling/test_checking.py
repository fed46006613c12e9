"""Pictures that a check holds back, and what people read then."""

import pytest

from generation.errors import BackendUnavailable, ContentBlocked
from generation.job import JobStatus
from generation.result import GeneratedImage, GenerationResult
from scheduling.checking import SafetyScreen
from tests.fakes import FakeBackend, FakeCheck
from tests.jobs import make_job
from tests.queue_rig import queue_rig
from texts.text import english

JOB = make_job("ann", "gpu")


def result_of(count: int) -> GenerationResult:
    return GenerationResult(images=tuple(GeneratedImage(data=bytes([n]), seed=n) for n in range(count)), cost_usd=0.5)


def filter_of(*scores: float | None) -> SafetyScreen:
    return SafetyScreen(check=FakeCheck(*scores), threshold=0.5)


async def test_what_scores_low_is_kept_as_it_is() -> None:
    result = result_of(2)
    assert await filter_of(0.0, 0.49).screened(JOB, result) is result


async def test_some_of_several_are_held_back_with_a_note_and_the_rest_is_no_answer_for_the_cache() -> None:
    kept = await filter_of(0.1, 0.5, 0.9).screened(JOB, result_of(3))
    assert ([image.seed for image in kept.images], kept.is_complete, kept.cost_usd) == ([0], False, 0.5)
    assert [english(note) for note in kept.notes] == [
        "2 pictures were held back: the picture check takes what it shows for not safe for work; the check can be wrong"
    ]


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([0.97], "The picture was held back: the picture check takes what it shows for not safe for work."),
        (
            [None],
            "The picture was held back: the picture check could not look at it, and this Easel shows only what was "
            "checked.",
        ),
        (
            [None, 0.9],
            "All 2 pictures were held back: the picture check takes what it shows for not safe for work.",
        ),
    ],
)
async def test_where_all_are_held_back_it_says_why_and_what_to_do(scores: list[float | None], message: str) -> None:
    with pytest.raises(ContentBlocked) as blocked:
        await filter_of(*scores).screened(JOB, result_of(len(scores)))
    assert english(blocked.value.user_message) == message
    assert "can be wrong" in english(blocked.value.hint)


async def test_a_job_whose_pictures_are_held_back_fails_in_words_and_nothing_of_it_is_kept() -> None:
    gpu, other = FakeBackend("gpu"), FakeBackend("other")
    async with queue_rig(gpu, other, screen=filter_of(0.9)) as rig:
        held = await rig.row(await rig.submit(candidates=("gpu", "other")))
        assert held.status is JobStatus.FAILED
        assert held.error
        assert (held.error.code, held.error.user_message[:26]) == ("content_blocked", "The picture was held back:")
        assert (rig.sink.kept, len(gpu.requests), other.requests) == ([], 1, []), "it is drawn nowhere else"
        fine = await rig.row(await rig.submit())
        assert fine.status is JobStatus.DONE


async def test_a_check_that_breaks_keeps_the_picture_back() -> None:
    class Broken(FakeCheck):
        async def score(self, data: bytes) -> float | None:
            raise ValueError("a fault of ours")

    async with queue_rig(FakeBackend("gpu"), screen=SafetyScreen(check=Broken(), threshold=0.5)) as rig:
        job = await rig.row(await rig.submit())
        assert (job.status, rig.sink.kept) == (JobStatus.FAILED, [])


async def test_an_error_of_the_engine_is_tried_again_as_ever() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu, screen=filter_of()) as rig:
        gpu.fail = [BackendUnavailable()]
        job = await rig.submit()
        await rig.advance(60)
        assert (await rig.status(job), len(gpu.requests)) == (JobStatus.DONE, 2)


@pytest.mark.parametrize(("screen", "preview"), [(None, b"a preview"), (filter_of(), None)])
async def test_previews_that_nobody_looked_at_are_not_shown(screen: SafetyScreen | None, preview: bytes | None) -> None:
    gpu = FakeBackend("gpu", hold=True, preview=b"a preview")
    async with queue_rig(gpu, screen=screen) as rig:
        job = await rig.submit()
        view = await rig.queue.view(job.id)
        assert view
        assert view.progress
        assert (view.progress.preview, view.progress.fraction) == (preview, 0.5)
        gpu.release()
        await rig.settle()
