"""Payloads for an app's function, and what its components promise."""

from dataclasses import replace

import pytest

from backends.gradio_flux.facts import AppEndpoint, AppField, Info, read_app
from backends.gradio_flux.payload import app_seed, bounded, changes, to_capabilities, to_data
from generation.capabilities import Fit, fit
from generation.request import GenerationRequest, Mode
from tests.backends.test_gradio_flux_app import page, recorded

FLUX = read_app(*recorded("gradio5"))
ZIMAGE = read_app(*recorded("zimage-gradio6"))
INFER = FLUX.endpoints[Mode.TXT2IMG]
DRAW = ZIMAGE.endpoints[Mode.TXT2IMG]


def request(**changes: object) -> GenerationRequest:
    values: dict[str, object] = {
        "prompt": "a fox", "width": 1024, "height": 576, "steps": 4, "cfg_scale": 0.0, "seed": 7,
    }  # fmt: skip
    return GenerationRequest(**(values | changes))  # type: ignore[arg-type]


def test_values_are_sent_in_the_functions_order_with_its_own_seed_drawing_off() -> None:
    data = to_data(request(cfg_scale=3.5, batch_size=3), INFER, 7)
    assert data == ["a fox", "black-forest-labs/FLUX.1-schnell", 7, 3.5, 1, False, 1024, 576, 4]


def test_model_that_is_asked_for_is_sent() -> None:
    assert to_data(request(model="sayakpaul/FLUX.1-merged"), INFER, 7)[1] == "sayakpaul/FLUX.1-merged"


def test_whole_numbers_stay_whole_and_guidance_stays_a_fraction() -> None:
    sent = to_data(request(cfg_scale=3), DRAW, 7)
    assert [type(value) for value in sent] == [str, int, float, int, int, int]


def test_inputs_we_do_not_know_keep_the_apps_value() -> None:
    config = page(
        ("textbox", {"label": "Prompt"}), ("checkbox", {"label": "Fast", "value": True}),
        ("dropdown", {"label": "Style", "choices": [["None", "none"], ["Ink", "ink"]]}), ("state", {}),
    )  # fmt: skip
    endpoint = read_app(config, Info()).endpoints[Mode.TXT2IMG]
    assert to_data(request(), endpoint, 7) == ["a fox", True, "none", None]


@pytest.mark.parametrize(
    ("seed", "sent"),
    [(0, 0), (2**31 - 1, 2**31 - 1), (2**31, 0), (2**32 - 1, 2**31 - 1), (4_000_000_000, 1_852_516_352)],
)
def test_seed_is_folded_into_the_apps_range(seed: int, sent: int) -> None:
    assert app_seed(INFER, seed) == sent


def test_seed_that_means_any_is_never_sent() -> None:
    batch = [app_seed(DRAW, seed) for seed in (0, 1, 2)]
    assert 0 not in batch
    assert len(set(batch)) == 3


@pytest.mark.parametrize(
    ("field", "wanted", "given"),
    [
        (AppField(kind="slider", minimum=256, maximum=2048, step=32), 1000, 992),
        (AppField(kind="slider", minimum=256, maximum=2048, step=32), 9000, 2048),
        (AppField(kind="slider", minimum=100, maximum=999, step=64), 999, 996),
        (AppField(kind="slider", minimum=1, maximum=32, step=1), 0, 1),
        (AppField(kind="slider", value=0.5, minimum=0, maximum=1, step=0.05), 0.33, 0.35),
        (AppField(kind="number", value=0.0, minimum=0, maximum=50, step=1), 3.7, 3.7),
        (AppField(kind="number"), 12, 12),
    ],
)
def test_values_stay_within_the_components_range(field: AppField, wanted: float, given: float) -> None:
    assert bounded(field, wanted) == given


def test_everything_that_is_changed_is_said() -> None:
    notes = changes(request(width=2100, steps=80, cfg_scale=60, seed=2**31), INFER)
    assert notes == (
        "width 2100 → 2048", "steps 80 → 50", "guidance 60 → 50", "seed 2147483648 → 0, in this app’s range",
    )  # fmt: skip
    assert changes(request(), INFER) == ()


def test_what_an_app_has_no_input_for_is_said() -> None:
    endpoint = read_app(page(("textbox", {"label": "Prompt"})), Info()).endpoints[Mode.TXT2IMG]
    assert changes(request(), endpoint) == (
        "steps 4 ignored: this app has no setting for it",
        "this app chooses the size itself",
        "this app chooses the seed itself",
    )


def test_capabilities_come_from_the_components() -> None:
    can = to_capabilities(FLUX, {}, warm_model="sayakpaul/FLUX.1-merged")
    assert [(model.name, model.is_loaded) for model in can.models or ()] == [
        ("black-forest-labs/FLUX.1-schnell", False), ("sayakpaul/FLUX.1-merged", True),
    ]  # fmt: skip
    assert (can.min_side, can.max_side, can.size_grid, can.max_steps) == (256, 2048, 32, 50)
    assert (can.default_width, can.default_height, can.default_steps, can.default_cfg_scale) == (1024, 576, 4, 0.0)
    assert not can.supports_negative_prompt
    assert not can.supports_cancel
    assert can.is_deterministic


def test_another_app_has_its_own_ranges_and_no_models() -> None:
    can = to_capabilities(ZIMAGE, {})
    assert (can.min_side, can.max_side, can.size_grid, can.max_steps) == (256, 1536, 64, 32)
    assert (can.default_width, can.default_height, can.default_steps) == (512, 512, 9)
    assert can.models == ()


def test_app_that_says_nothing_gets_the_defaults_of_schnell() -> None:
    can = to_capabilities(read_app(page(("textbox", {"label": "Prompt"})), Info()), {})
    assert (can.default_width, can.default_height, can.default_steps, can.default_cfg_scale) == (1024, 576, 4, 0.0)
    assert can.size_grid == 8
    assert not can.is_deterministic


def test_owners_limits_hold() -> None:
    can = to_capabilities(FLUX, {"max_side": "768", "max_batch": "2"})
    assert (can.max_side, can.default_width, can.max_batch) == (768, 768, 2)
    assert to_capabilities(FLUX, {"max_side": "lots"}).max_side == 2048


def test_fitted_request_is_sent_unchanged() -> None:
    wild = request(width=3000, height=777, steps=400, seed=1, negative_prompt="blur", sampler="euler")
    fitted = fit(wild, to_capabilities(FLUX, {}))
    assert isinstance(fitted, Fit)
    assert changes(fitted.request, INFER) == ()


def test_samplers_loras_vaes_and_clip_skip_have_no_input() -> None:
    for app in (FLUX, ZIMAGE):
        can = to_capabilities(app, {})
        assert (can.samplers, can.schedulers, can.loras, can.vaes) == ((), (), (), ())
        assert not can.supports_clip_skip
        assert not can.supports_preview


def test_text_field_for_the_model_takes_any_name() -> None:
    config = page(("textbox", {"label": "Prompt"}), ("textbox", {"label": "Model", "value": "a/b"}))
    app = read_app(config, Info())
    assert to_capabilities(app, {}).models is None
    endpoint: AppEndpoint = app.endpoints[Mode.TXT2IMG]
    assert to_data(replace(request(), model="c/d"), endpoint, 1) == ["a fox", "c/d"]
