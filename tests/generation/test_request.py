"""Requests as JSON and as cache keys."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.request import (
    ControlUnit,
    GenerationRequest,
    HiresFix,
    Lora,
    MaskFill,
    Mode,
    SourceImage,
    WorkflowRef,
    request_from_json,
    request_to_json,
)

NAMES = st.none() | st.text(min_size=1, max_size=20)
PICTURES = st.binary(max_size=9).map(SourceImage.of)
HIRES = st.builds(
    HiresFix,
    factor=st.floats(1, 4),
    denoising_strength=st.floats(0, 1),
    steps=st.none() | st.integers(1, 150),
    upscaler=NAMES,
)
CONTROL = st.builds(ControlUnit, kind=st.text(min_size=1), image=PICTURES, model=NAMES, weight=st.floats(0, 2))
REQUESTS = st.builds(
    GenerationRequest,
    prompt=st.text(max_size=50),
    negative_prompt=st.text(max_size=50),
    width=st.integers(64, 16384),
    height=st.integers(64, 16384),
    steps=st.integers(1, 500),
    cfg_scale=st.floats(0, 100),
    seed=st.integers(0, 2**32 - 1),
    mode=st.sampled_from(Mode),
    sampler=NAMES,
    scheduler=NAMES,
    model=NAMES,
    vae=NAMES,
    clip_skip=st.none() | st.integers(1, 12),
    loras=st.lists(st.builds(Lora, name=st.text(min_size=1), weight=st.floats(-10, 10)), max_size=3).map(tuple),
    batch_size=st.integers(1, 10),
    denoising_strength=st.none() | st.floats(0, 1),
    init_image=st.none() | st.binary(max_size=9).map(SourceImage.of),
    mask_image=st.none() | st.binary(max_size=9).map(SourceImage.of),
    mask_fill=st.none() | st.sampled_from(MaskFill),
    only_masked=st.none() | st.just(True),
    upscale_factor=st.none() | st.floats(1, 8),
    upscaler=NAMES,
    guidance=st.none() | st.floats(0, 100),
    styles=st.lists(st.text(min_size=1), max_size=2).map(tuple),
    control=st.lists(CONTROL, max_size=2).map(tuple),
    hires=st.none() | HIRES,
    workflow=st.none() | st.builds(WorkflowRef, name=st.text(min_size=1, max_size=9), id=st.text(max_size=9)),
)


@given(REQUESTS)
def test_request_survives_json(request):
    stored = json.loads(json.dumps(request_to_json(request)))
    assert request_from_json(stored) == request


@given(REQUESTS)
def test_fields_of_a_later_version_are_ignored(request):
    assert request_from_json({**request_to_json(request), "from_the_future": 1}) == request


@given(REQUESTS)
def test_key_is_stable_and_changes_with_the_seed(request):
    stored = json.loads(json.dumps(request_to_json(request)))
    assert request_from_json(stored).key() == request.key()
    assert replace(request, seed=request.seed ^ 1).key() != request.key()


@given(REQUESTS)
def test_cost_is_positive_and_grows_with_the_batch(request):
    assert 0 < request.cost <= replace(request, batch_size=request.batch_size * 2).cost


PLAIN = GenerationRequest(prompt="a fox", width=512, height=512, steps=20, cfg_scale=7.0, seed=1)


def test_row_of_an_earlier_version_still_loads_and_has_the_same_key():
    old = {
        "prompt": "a fox", "width": 512, "height": 512, "steps": 20, "cfg_scale": 7.0, "seed": 1, "mode": "txt2img",
        "negative_prompt": "", "batch_size": 1,
    }  # fmt: skip
    assert request_from_json(old) == PLAIN
    assert request_to_json(PLAIN) == old


def test_hires_fix_costs_its_second_pass_and_enlarges_the_result():
    hires = replace(PLAIN, hires=HiresFix(factor=2.0, steps=10))
    assert hires.result_size == (1024, 1024)
    assert hires.cost == PLAIN.cost + 1024 * 1024 / 1e6 * 10
    assert replace(PLAIN, hires=HiresFix(factor=2.0)).cost == PLAIN.cost * 5


@pytest.mark.parametrize(
    "changes",
    [
        {"guidance": 3.5},
        {"styles": ("ink",)},
        {"hires": HiresFix()},
        {"control": (ControlUnit(kind="canny", image=SourceImage.of(b"a")),)},
        {"upscaler": "Lanczos"},
        {"mask_fill": MaskFill.NOISE},
        {"only_masked": True},
        {"workflow": WorkflowRef(name="portrait", id="1")},
    ],
)
def test_everything_that_decides_the_picture_is_in_the_key(changes):
    assert replace(PLAIN, **changes).key() != PLAIN.key()


def test_bytes_of_a_picture_are_neither_stored_nor_compared_nor_shown():
    picture = SourceImage.of(b"secret bytes")
    assert SourceImage(media_id=picture.media_id) == picture
    assert "secret" not in repr(picture)


def test_content_of_a_workflow_is_neither_stored_nor_compared_nor_shown():
    loaded = WorkflowRef(name="portrait", id="1", graph="secret", mapping="secret")
    assert WorkflowRef(name="portrait", id="1") == loaded
    assert "secret" not in repr(loaded)
    assert "secret" not in json.dumps(request_to_json(replace(PLAIN, workflow=loaded)))
