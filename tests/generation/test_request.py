"""Requests as JSON and as cache keys."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from generation.request import (
    GenerationRequest,
    Lora,
    Mode,
    SourceImage,
    request_from_json,
    request_to_json,
)

NAMES = st.none() | st.text(min_size=1, max_size=20)
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
    upscale_factor=st.none() | st.floats(1, 8),
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


def test_bytes_of_a_picture_are_neither_stored_nor_compared_nor_shown():
    picture = SourceImage.of(b"secret bytes")
    assert SourceImage(media_id=picture.media_id) == picture
    assert "secret" not in repr(picture)
