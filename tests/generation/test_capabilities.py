"""`fit`: what a request becomes on a backend, and that nothing changes without a word."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from generation.capabilities import Capabilities, Fit, ModelInfo, Refused, fit, fit_workflow
from generation.request import (
    FROM_PICTURE_ALONE,
    ControlUnit,
    GenerationRequest,
    HiresFix,
    Lora,
    MaskFill,
    Mode,
    SourceImage,
    WorkflowRef,
)

PLAIN = Capabilities(modes=frozenset({Mode.TXT2IMG}))
RICH = Capabilities(
    modes=frozenset(Mode),
    models=(
        ModelInfo(name="sd15/dream.safetensors", title="Dream"),
        ModelInfo(name="flux1-dev.safetensors", title="Flux dev"),
    ),
    samplers=("Euler a", "DPM++ 2M", "DDIM"),
    schedulers=("Automatic", "Karras"),
    loras=("ink_style", "more_detail"),
    vaes=("kl-f8.pt",),
    size_grid=64,
    min_side=256,
    max_side=1024,
    max_steps=50,
    max_batch=4,
    supports_clip_skip=True,
    styles=("Cinematic", "Film noir"),
    upscalers=("Lanczos", "R-ESRGAN 4x+"),
    hires_upscalers=("Latent",),
    control_kinds=("canny", "openpose"),
    control_models=("control_v11p_sd15_canny [d14c016b]",),
    supports_hires=True,
    supports_guidance=True,
    supports_mask_fill=True,
    supports_only_masked=True,
)
SOURCE = SourceImage.of(b"picture")
CANNY = ControlUnit(kind="canny", image=SOURCE)
REQUEST = GenerationRequest(prompt="a fox", width=512, height=512, steps=20, cfg_scale=7.0, seed=1)


def fitted(request: GenerationRequest, capabilities: Capabilities) -> Fit:
    result = fit(request, capabilities)
    assert isinstance(result, Fit)
    return result


@pytest.mark.parametrize(
    ("asked", "got", "note"),
    [
        ({"width": 500, "height": 700}, {"width": 512, "height": 704}, "size 500×700 → 512×704"),
        ({"width": 4096, "height": 2048}, {"width": 1024, "height": 512}, "size 4096×2048 → 1024×512"),
        ({"width": 64}, {"width": 256}, "size 64×512 → 256×512"),
        ({"steps": 99}, {"steps": 50}, "steps 99 → 50"),
        ({"batch_size": 9}, {"batch_size": 4}, "batch 9 → 4"),
        ({"sampler": "plms"}, {"sampler": "DDIM"}, "sampler plms → DDIM"),
        ({"hires": HiresFix(factor=3.0)}, {"hires": HiresFix(factor=2.0)}, "hires 3× → 2×: at most 1024 pixels"),
        ({"hires": HiresFix(), "mode": Mode.IMG2IMG}, {"hires": None}, "for pictures from text alone"),
        ({"control": (CANNY,), "mode": Mode.UPSCALE}, {"control": ()}, "ControlNet ignored"),
        ({"sampler": "banana", "mode": Mode.UPSCALE}, {"sampler": None}, "sampler banana ignored: upscaling"),
        ({"scheduler": "beta", "mode": Mode.UPSCALE}, {"scheduler": None}, "scheduler beta ignored: upscaling"),
        ({"vae": "x", "mode": Mode.UPSCALE}, {"vae": None}, "VAE x ignored: upscaling"),
    ],
)
def test_what_does_not_fit_is_changed_and_said(asked, got, note):
    fit_ = fitted(replace(REQUEST, **asked), RICH)
    assert fit_.request == replace(REQUEST, **{**asked, **got})
    assert len(fit_.notes) == 1
    assert note in fit_.notes[0]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"sampler": "banana"}, "it has no sampler “banana”"),
        ({"sampler": "DPM+++ 2N"}, "it has no sampler “DPM+++ 2N” (near: DPM++ 2M)"),
        ({"scheduler": "beta"}, "it has no scheduler “beta”"),
        ({"vae": "kl-f9.pt"}, "it has no VAE “kl-f9.pt” (near: kl-f8.pt)"),
        ({"model": "drem"}, "it has no model “drem” (near: Dream)"),
        ({"model": "flux"}, None),
        ({"loras": (Lora(name="more detial"),)}, "it has no LoRA “more detial” (near: more_detail)"),
        ({"styles": ("Ink", "film noir")}, "it has no style “Ink”"),
        ({"hires": HiresFix(upscaler="latnt")}, "it has no upscaler “latnt” (near: Latent, Lanczos)"),
        ({"upscaler": "R-ESRGAN 2x", "mode": Mode.UPSCALE}, "it has no upscaler “R-ESRGAN 2x” (near: R-ESRGAN 4x+)"),
        ({"sampler": "Automatic", "scheduler": "auto", "vae": "default"}, None),
    ],
)
def test_a_name_that_nothing_here_means_is_refused_with_the_nearest(asked, reason):
    result = fit(replace(REQUEST, **asked), RICH)
    if reason is None:
        assert isinstance(result, Fit)
        assert result.notes == ()
    else:
        assert result == Refused(reasons=(reason,))


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        ({"sampler": "euler_a"}, {"sampler": "Euler a"}),
        ({"sampler": "dpm++_2m_karras"}, {"sampler": "DPM++ 2M", "scheduler": "Karras"}),
        ({"scheduler": "karras"}, {"scheduler": "Karras"}),
        ({"model": "dream"}, {"model": "sd15/dream.safetensors"}),
        ({"model": "Flux dev"}, {"model": "flux1-dev.safetensors"}),
        ({"loras": (Lora(name="Ink Style", weight=0.5),)}, {"loras": (Lora(name="ink_style", weight=0.5),)}),
        ({"vae": "KL-F8"}, {"vae": "kl-f8.pt"}),
        ({"hires": HiresFix(upscaler="latent")}, {"hires": HiresFix(upscaler="Latent")}),
        ({"control": (replace(CANNY, kind="Edges"),)}, {"control": (CANNY,)}),
        (
            {"control": (replace(CANNY, kind="pose", model="sd15_canny"),)},
            {"control": (replace(CANNY, kind="openpose", model="control_v11p_sd15_canny [d14c016b]"),)},
        ),
    ],
)
def test_the_servers_own_spelling_is_no_change_worth_a_word(asked, got):
    assert fitted(replace(REQUEST, **asked), RICH) == Fit(request=replace(REQUEST, **got))


def test_engine_without_choices_drops_them_and_says_each():
    asked = replace(REQUEST, model="m", sampler="ddim", scheduler="karras", clip_skip=2, negative_prompt="x", vae="v")
    fit_ = fitted(asked, replace(PLAIN, supports_negative_prompt=False))
    assert fit_.request == REQUEST
    assert len(fit_.notes) == 6


def test_engine_that_cannot_tell_its_names_gets_them_as_they_are():
    unknown = replace(PLAIN, models=None, samplers=None, schedulers=None, loras=None, vaes=None)
    asked = replace(REQUEST, model="m", sampler="s", scheduler="t", vae="v", loras=(Lora(name="l"),))
    assert fitted(asked, unknown) == Fit(request=asked)


def test_engine_without_the_extras_drops_them_and_says_each():
    asked = replace(
        REQUEST, guidance=3.5, styles=("Ink",), hires=HiresFix(), mask_fill=MaskFill.NOISE, only_masked=True
    )
    fit_ = fitted(asked, PLAIN)
    assert fit_.request == REQUEST
    assert len(fit_.notes) == 5


def test_guidance_that_stands_for_the_cfg_scale_is_no_change_worth_a_word():
    asked = replace(REQUEST, cfg_scale=3.5, guidance=3.5)
    assert fitted(asked, PLAIN) == Fit(request=replace(asked, guidance=None))
    assert fitted(asked, RICH) == Fit(request=asked)


@pytest.mark.parametrize(
    ("unit", "capabilities", "reason"),
    [
        (CANNY, PLAIN, "it has no ControlNet"),
        (replace(CANNY, kind="depth"), RICH, "it has no ControlNet for “depth”, only for canny, openpose"),
        (replace(CANNY, model="depth_v2"), RICH, "it has no ControlNet model “depth_v2”"),
    ],
)
def test_control_that_is_not_there_is_refused(unit, capabilities, reason):
    assert fit(replace(REQUEST, control=(unit,)), capabilities) == Refused(reasons=(reason,))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("pose", "openpose"), ("edges", "canny"), ("lines", "lineart"), ("normal", "normalmap"),
        ("seg", "segmentation"), ("hed", "softedge"), ("sketch", "scribble"),
    ],
)  # fmt: skip
def test_what_people_call_a_kind_of_control_is_understood(reply, kind):
    kinds = ("openpose", "canny", "lineart", "normalmap", "segmentation", "softedge", "scribble")
    asked = replace(REQUEST, control=(replace(CANNY, kind=reply),))
    assert fitted(asked, replace(RICH, control_kinds=kinds)).request.control[0].kind == kind


def test_every_reason_for_a_refusal_is_given():
    asked = replace(REQUEST, mode=Mode.IMG2IMG, model="nope", loras=(Lora(name="absent"),))
    refused = fit(asked, replace(RICH, modes=frozenset({Mode.TXT2IMG})))
    assert isinstance(refused, Refused)
    assert [word in reason for word, reason in zip(("img2img", "nope", "absent"), refused.reasons, strict=True)]
    assert len(refused.reasons) == 3


def test_model_whose_title_is_another_models_name_is_told_apart():
    models = (ModelInfo(name="a.ckpt", title="b.ckpt"), ModelInfo(name="b.ckpt", title="B"))
    assert fitted(replace(REQUEST, model="b.ckpt"), replace(RICH, models=models)).request.model == "b.ckpt"


def test_upscaling_keeps_the_size_of_its_source():
    asked = replace(REQUEST, mode=Mode.UPSCALE, width=4001, height=3001, upscale_factor=2.0)
    assert fitted(asked, RICH) == Fit(request=asked)


CHOICES = ("Euler a", "dpmpp_2m", "plms", "DDIM Karras", "karras", "Automatic", "xyz", "dream", "Flux dev")
NAMES = st.none() | st.sampled_from(CHOICES)
LISTS = st.none() | st.lists(st.sampled_from(CHOICES), unique=True).map(tuple)
REQUESTS = st.builds(
    GenerationRequest,
    prompt=st.text(max_size=9),
    negative_prompt=st.text(max_size=9),
    width=st.integers(64, 16384),
    height=st.integers(64, 16384),
    steps=st.integers(1, 500),
    cfg_scale=st.floats(0, 100),
    seed=st.integers(0, 2**32 - 1),
    mode=st.sampled_from([Mode.TXT2IMG, Mode.TXT2IMG, Mode.UPSCALE]),
    sampler=NAMES,
    scheduler=NAMES,
    model=NAMES,
    vae=NAMES,
    clip_skip=st.none() | st.integers(1, 12),
    batch_size=st.integers(1, 10),
)
MODELS = st.none() | st.lists(
    st.builds(ModelInfo, name=st.sampled_from(CHOICES), title=st.sampled_from(CHOICES)), unique_by=lambda m: m.name
).map(tuple)
CAPABILITIES = st.builds(
    Capabilities,
    modes=st.just(frozenset({Mode.TXT2IMG, Mode.UPSCALE})),
    models=MODELS,
    samplers=LISTS,
    schedulers=LISTS,
    vaes=LISTS,
    size_grid=st.sampled_from([1, 8, 16, 64]),
    min_side=st.integers(16, 512),
    max_side=st.integers(600, 4096),
    max_steps=st.integers(1, 150),
    max_batch=st.integers(1, 8),
    supports_negative_prompt=st.booleans(),
    supports_clip_skip=st.booleans(),
)


def _is_within(request: GenerationRequest, capabilities: Capabilities) -> bool:
    sides = [] if request.mode is Mode.UPSCALE else [request.width, request.height]
    chosen = [
        (request.sampler, capabilities.samplers),
        (request.scheduler, capabilities.schedulers),
        (request.vae, capabilities.vaes),
        (request.model, None if capabilities.models is None else [model.name for model in capabilities.models]),
    ]
    return (
        all(capabilities.min_side <= side <= capabilities.max_side for side in sides)
        and all(side % capabilities.size_grid == 0 for side in sides)
        and request.steps <= capabilities.max_steps
        and request.batch_size <= capabilities.max_batch
        and all(name is None or names is None or name in names for name, names in chosen)
        and (capabilities.supports_negative_prompt or not request.negative_prompt)
        and (capabilities.supports_clip_skip or not request.clip_skip)
    )


@given(REQUESTS, CAPABILITIES)
def test_fit_is_within_what_the_backend_can_do_and_fits_at_once_the_second_time(request, capabilities):
    result = fit(request, capabilities)
    assume(isinstance(result, Fit))
    assert _is_within(result.request, capabilities)
    assert fit(result.request, capabilities) == Fit(request=result.request)
    assert (result.request.seed, result.request.prompt) == (request.seed, request.prompt)


@given(REQUESTS, CAPABILITIES)
def test_there_are_notes_exactly_when_something_was_changed(request, capabilities):
    result = fit(request, capabilities)
    assume(isinstance(result, Fit))
    # A name in the server's own spelling is the same thing asked for; a name that is gone is a change.
    spelled = {
        name: getattr(result.request, name)
        for name in ("model", "sampler", "scheduler", "vae")
        if getattr(result.request, name)
    }
    if request.mode in FROM_PICTURE_ALONE:  # no model is at work there, so that nobody misses one
        spelled["model"] = result.request.model
    if replace(request, **spelled) != result.request:
        assert result.notes
    if result.request == request:
        assert result.notes == ()


OWN = replace(REQUEST, workflow=WorkflowRef(name="portrait", id="1"))


def test_workflow_goes_only_to_an_engine_that_runs_them_and_unchanged():
    assert fit(OWN, RICH) == Refused(reasons=("it runs no workflows",))
    odd = replace(OWN, width=500, sampler="as the workflow spells it")
    assert fit(odd, replace(RICH, supports_workflows=True)) == Fit(request=odd)


def test_request_is_bent_to_what_its_workflow_can_do():
    can = replace(PLAIN, supports_steps=False, supports_cfg_scale=False, default_steps=20, default_cfg_scale=7.0)
    assert fit_workflow(OWN, can) == Fit(request=OWN)
    result = fit_workflow(replace(OWN, width=500, steps=30, cfg_scale=5.0), can)
    assert isinstance(result, Fit)
    assert result.request.width == 496
    assert result.request.workflow == OWN.workflow
    assert [note.split(":")[0] for note in result.notes] == [
        "size 500×512 → 496×512",
        "steps ignored",
        "CFG scale ignored",
    ]


def test_workflow_without_the_mode_asked_for_is_refused():
    assert fit_workflow(replace(OWN, mode=Mode.INPAINT), PLAIN) == Refused(reasons=("it cannot do inpaint",))
