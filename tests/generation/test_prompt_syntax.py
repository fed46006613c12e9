"""The prompt parser: what people type, and properties that hold for any text."""

import time
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from constants import MAX_BATCH_SIZE, MAX_PROMPT_CHARS, MAX_SEED, MAX_STEPS
from generation.errors import RequestRejected
from generation.options import BY_NAME, COOL_EXAMPLES, FOREIGN_FLAGS, OPTIONS
from generation.prompt_syntax import format_prompt, parse_prompt
from generation.request import Draft, GenerationRequest, HiresFix, Lora, MaskFill, Pan, WorkflowRef
from generation.resolve import resolve

LONG = "a majestic dragon over snowy mountains at dawn, volumetric light, intricate scales, highly detailed"


@pytest.mark.parametrize(
    ("text", "draft"),
    [
        ("a cute cat", Draft(prompt="a cute cat")),
        (
            "portrait of Riley --negative ugly, blurry, distorted",
            Draft(prompt="portrait of Riley", negative_prompt="ugly, blurry, distorted"),
        ),
        (
            "cyberpunk cityscape --size 768x512 --steps 30",
            Draft(prompt="cyberpunk cityscape", width=768, height=512, steps=30),
        ),
        (
            f"{LONG} --negative deformed, bad anatomy --size 640x640 --steps 25",
            Draft(prompt=LONG, negative_prompt="deformed, bad anatomy", width=640, height=640, steps=25),
        ),
        ("space explorer", Draft(prompt="space explorer")),
        (
            "anime cat girl --size 768x512 --steps 30",
            Draft(prompt="anime cat girl", width=768, height=512, steps=30),
        ),
        ("cityscape --negative blurry, ugly", Draft(prompt="cityscape", negative_prompt="blurry, ugly")),
    ],
)
def test_examples_of_the_manual_parse(text, draft):
    parsed = parse_prompt(text)
    assert (parsed.draft, parsed.notes) == (draft, ())


@pytest.mark.parametrize("text", COOL_EXAMPLES)
def test_cool_examples_parse_without_remarks_and_come_back_the_same(text):
    parsed = parse_prompt(text)
    assert parsed.notes == ()
    assert None not in (parsed.draft.width, parsed.draft.steps, parsed.draft.negative_prompt)
    assert parse_prompt(format_prompt(parsed.draft)) == parsed


def test_there_are_nine_cool_examples():
    assert len(set(COOL_EXAMPLES)) == 9


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_example_of_the_help_parses(option):
    parsed = parse_prompt(f"a fox {option.example}")
    assert parsed.draft.prompt == "a fox"
    assert parsed.notes == ()
    assert parsed != parse_prompt("a fox")


def test_help_has_a_row_for_every_option_and_no_name_means_two_things():
    assert all(option.example and option.meaning for option in OPTIONS)
    assert len(BY_NAME) == sum(1 + len(option.aliases) for option in OPTIONS)
    assert not set(BY_NAME) & set(FOREIGN_FLAGS)


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("a fox —steps 30", {"steps": 30}),
        ("a fox –steps 30", {"steps": 30}),
        ("a fox --STEPS=30", {"steps": 30}),
        ("a fox --steps = 30", {"steps": 30}),
        ("--steps 30 a fox", {"steps": 30}),
        ("a --steps 30 fox", {"steps": 30}),
        ("a fox --steps 30, --seed 4", {"steps": 30, "seed": 4}),
        ("a fox --size 512X768", {"width": 512, "height": 768}),
        ("a fox --size 512×768", {"width": 512, "height": 768}),
        ("a fox --size 512 * 768", {"width": 512, "height": 768}),
        ("a fox --size 1024", {"width": 1024, "height": 1024}),
        ("a fox --width 640 --height 512", {"width": 640, "height": 512}),
        ("a fox --ar 16:9", {"aspect": (16, 9)}),
        ("a fox --cfg-scale 7.5", {"cfg_scale": 7.5}),
        ("a fox --guidance_scale 7,5", {"cfg_scale": 7.5}),
        ("a fox --guidance 3,5", {"guidance": 3.5}),
        ("a fox --hires", {"hires": HiresFix()}),
        ("--hires a fox", {"hires": HiresFix()}),
        ("a fox --hires 1.5x", {"hires": HiresFix(factor=1.5)}),
        ("a fox --hires 2:40%:12", {"hires": HiresFix(factor=2.0, denoising_strength=0.4, steps=12)}),
        ("a fox --hires 2 --upscaler R-ESRGAN 4x+", {"hires": HiresFix(factor=2.0), "upscaler": "R-ESRGAN 4x+"}),
        ("a fox --style Film noir --style Ink", {"styles": ("Film noir", "Ink")}),
        ("a fox --zoom 1.5", {"zoom": 1.5}),
        ("--pan LEFT a fox", {"pan": Pan.LEFT}),
        ("a fox --tile", {"tiling": True}),
        ("a fox --seamless", {"tiling": True}),
        ("a fox --fill noise --only-masked", {"mask_fill": MaskFill.NOISE, "only_masked": True}),
        ("a fox --seed random", {}),
        ("a fox --seed -1", {}),
        ("a fox --seed 0", {"seed": 0}),
        ("a fox --n 4", {"batch_size": 4}),
        ("a fox --denoise 60%", {"denoising_strength": 0.6}),
        ("a fox --on AI Power Grid", {"backend": "AI Power Grid"}),
        ("a fox --workflow My portrait --steps 9", {"workflow": WorkflowRef(name="My portrait"), "steps": 9}),
        ("a fox --upscale", {"upscale_factor": 2.0}),
        ("a fox --upscale 4x", {"upscale_factor": 4.0}),
        ("--upscale a fox", {"upscale_factor": 2.0}),
        ("a fox --no hats --neg ties", {"negative_prompt": "hats, ties"}),
        ('a fox --negative "a --b", --steps 3', {"negative_prompt": '"a --b",', "steps": 3}),
        ('--negative "ugly, blurry" a fox', {"negative_prompt": "ugly, blurry"}),
        ("--negative “ugly” a fox", {"negative_prompt": "ugly"}),
        ("a fox --negative 'ugly'", {"negative_prompt": "ugly"}),
        ("a fox --negative", {}),
        ("a fox --sampler DPM++ 2M Karras --steps 3", {"sampler": "DPM++ 2M Karras", "steps": 3}),
        ("a fox --lora ink:0.8 --lora more", {"loras": (Lora(name="ink", weight=0.8), Lora(name="more"))}),
        ("a <lora:ink:0.8> fox", {"loras": (Lora(name="ink", weight=0.8),)}),
        ("a fox <lora:ink>", {"loras": (Lora(name="ink"),)}),
        ("a\x00 fox\n--steps\t3", {"steps": 3}),
    ],
)
def test_options_are_read_as_people_write_them(text, changes):
    parsed = parse_prompt(text)
    assert (parsed.draft, parsed.notes) == (Draft(prompt="a fox", **changes), ())


@pytest.mark.parametrize(
    "text",
    [
        "half-timbered -- old",
        "a castle —old and grey",
        "a cat -- a dog",
        "well--known",
        "a 6\" nail and 7' board",
        "-steps 30",
        '"--steps 3" is what the sign says',
        "the number --2",
    ],
)
def test_dashes_and_quotes_in_ordinary_text_are_text(text):
    assert parse_prompt(text).draft == Draft(prompt=text)


@pytest.mark.parametrize("text", ['"a fox --steps 3"', "“a fox --steps 3”"])
def test_quotes_around_the_whole_prompt_go_and_protect_what_they_hold(text):
    assert parse_prompt(text).draft == Draft(prompt="a fox --steps 3")


def test_unknown_option_is_named_with_the_nearest_one_and_the_job_runs():
    parsed = parse_prompt("a fox --stepz 30 --seed 4")
    assert parsed.draft == Draft(prompt="a fox", seed=4)
    assert parsed.notes == ("unknown option --stepz: did you mean --steps? (left out: “30”)",)


def test_words_after_a_leading_unknown_option_are_the_prompt():
    parsed = parse_prompt("--xyzzy a fox")
    assert parsed.draft == Draft(prompt="a fox")
    assert parsed.notes == ("unknown option --xyzzy ignored",)


def test_midjourney_flags_are_taken_with_a_remark_and_leave_the_prompt_whole():
    parsed = parse_prompt("a fox --s 250 --v 6.1 --tile in --style raw snow --sref https://x.invalid/a 12 --q .5 --exp")
    assert parsed.draft == Draft(prompt="a fox in snow", tiling=True)  # there are engines that can
    assert parsed.notes == (
        "--s, --v, --style, --sref, --exp: Midjourney’s own, not used here; --q: gone from Midjourney 8 as well",
    )
    assert not any("no engine" in note for note in parsed.notes)  # some engine may well have it


@pytest.mark.parametrize(
    "text",
    [
        "a fox --p 8xk2mzq --exp 25 --raw in snow --niji 6 --sw 200 --sv 6",
        "a fox --profile --weird 500 in snow --cw 40 --hq --fast",
        "a fox --p in snow",
    ],
)
def test_each_flag_of_midjourney_takes_its_value_and_no_more(text):
    parsed = parse_prompt(text)
    assert parsed.draft == Draft(prompt="a fox in snow")
    assert len(parsed.notes) == 1


def test_midjourneys_hd_is_a_second_pass_and_stop_a_share_of_the_steps():
    assert parse_prompt("a fox --hd").draft == Draft(prompt="a fox", hires=HiresFix())
    draft = parse_prompt("a fox --stop 60 --steps 30").draft
    assert resolve(draft, width=64, height=64, steps=20, cfg_scale=7.0).steps == 18
    assert resolve(Draft(prompt="x", stop=50), width=64, height=64, steps=4, cfg_scale=7.0).steps == 2
    with pytest.raises(RequestRejected, match="10 to 100"):
        parse_prompt("a fox --stop 5")


def test_midjourneys_chaos_is_a_share_of_a_second_seed_and_draft_is_its_own_field():
    draft = parse_prompt("a fox --chaos 40 --seed 7 --batch 4").draft
    assert (draft.chaos, draft.prompt) == (40, "a fox")
    request = resolve(draft, width=64, height=64, steps=20, cfg_scale=7.0)
    assert (request.seed, request.subseed_strength, request.subseed is not None) == (7, 0.4, True)
    assert resolve(Draft(prompt="x", chaos=0), width=64, height=64, steps=20, cfg_scale=7.0).subseed is None
    assert parse_prompt("a fox --c 40").draft.chaos == 40
    assert parse_prompt("a fox --draft").draft == Draft(prompt="a fox", draft=True)
    with pytest.raises(RequestRejected, match="0 to 100"):
        parse_prompt("a fox --chaos 101")


@pytest.mark.parametrize(("weight", "strength"), [("0", 1.0), ("1", 0.75), ("2", 0.5), ("9", 0.25)])
def test_midjourney_image_weight_becomes_strength(weight, strength):
    assert parse_prompt(f"a fox --iw {weight}").draft.denoising_strength == strength
    assert parse_prompt(f"a fox --iw {weight} --strength 0.1").draft.denoising_strength == 0.1


def test_repeat_and_private_are_about_the_job_not_the_picture():
    parsed = parse_prompt("--private a fox --r 3")
    assert (parsed.repeat, parsed.is_private, parsed.draft) == (3, True, Draft(prompt="a fox"))
    assert not parse_prompt("a fox --private=no").is_private


@pytest.mark.parametrize(
    ("option", "field", "value", "expected"),
    [
        ("--steps many", "steps", "many", f"1 to {MAX_STEPS}"),
        ("--steps 0", "steps", "0", f"1 to {MAX_STEPS}"),
        ("--steps", "steps", "empty", f"1 to {MAX_STEPS}"),
        ("--size 7", "size", "7", "64 to 16384 pixels"),
        ("--size big", "size", "big", "width x height"),
        ("--ar wide", "aspect", "wide", "width:height"),
        ("--ar 0:4", "aspect", "0:4", "above 0"),
        ("--ar 99:1", "aspect", "99:1", "10:1"),
        ("--cfg 1e9", "cfg_scale", "1000000000", "0 to 100"),
        ("--cfg nan", "cfg_scale", "nan", "a number"),
        ("--seed 18446744073709551616", "seed", "18446744073709551616", "0 to 18446744073709551615"),
        ("--batch 99", "batch_size", "99", f"1 to {MAX_BATCH_SIZE}"),
        ("--repeat 0", "repeat", "0", "1 to"),
        ("--strength 2", "denoising_strength", "2", "0 to 1"),
        ("--hires 9", "hires", "9", "1 to 4"),
        ("--hires 2:3", "denoising_strength", "3", "0 to 1"),
        ("--zoom 5", "zoom", "5", "1.25 to 2"),
        ("--pan up-left", "pan", "up-left", "left, right, up, down"),
        ("--fill gold", "mask_fill", "gold", "original, blur, noise, empty"),
        ("--style", "styles", "empty", "a name"),
        ("--lora x:heavy", "loras", "x:heavy", "name:weight"),
        ("--lora x:99", "loras", "x:99", "-10 to 10"),
        ("--model", "model", "empty", "a name"),
        ("--clip_skip 40", "clip_skip", "40", "1 to 12"),
        ("--upscale 99", "upscale_factor", "99", "1 to 8"),
    ],
)
def test_bad_value_of_a_known_option_names_value_and_range(option, field, value, expected):
    with pytest.raises(RequestRejected) as caught:
        parse_prompt(f"a fox {option}")
    assert caught.value.field == field
    assert value in caught.value.user_message
    assert expected in caught.value.user_message
    assert caught.value.hint.startswith("For example: --")


def test_too_long_a_prompt_is_refused_with_its_length():
    parse_prompt("x" * MAX_PROMPT_CHARS)
    with pytest.raises(RequestRejected, match="4,001 characters"):
        parse_prompt("x" * (MAX_PROMPT_CHARS + 1))


@pytest.mark.parametrize("text", [' "a', '="', " --aa", "<lora:a:1>", '"\\', "—", "-", " --lora a:", " «a “b"])
def test_hostile_text_is_read_quickly(text):
    started = time.thread_time()
    with suppress(RequestRejected):
        parse_prompt(text * (16000 // len(text)))
    assert time.thread_time() - started < 0.5


PIECES = st.sampled_from(
    [
        *(f"--{name}" for name in [*BY_NAME, *FOREIGN_FLAGS]),
        *("—steps", "--", "--zzz", '"', "“", "”", "'", "\\", "=", ":", ",", "x", " ", "30", "0.5", "16:9", "512x768"),
        *("<lora:a:1>", "<lora:", ">", "fox", "red fox", "\n", "\x00", "-1", "9" * 30, "1e400", "é", "🦊"),
    ]
)
TEXTS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=12).map(" ".join), st.lists(PIECES).map("".join))


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(TEXTS)
def test_any_text_parses_or_is_rejected_and_comes_back_from_one_line(text):
    parsed = None
    with suppress(RequestRejected):
        parsed = parse_prompt(text)
    assume(parsed)
    line = format_prompt(parsed.draft)
    assert "\n" not in line
    assert parse_prompt(line).draft == parsed.draft


UNSEEN = {*map(chr, range(0xFE00, 0xFE10)), "\u034f"}  # printable to Python, yet nobody sees or types them
WORDS = TEXTS.map(
    lambda text: " ".join("".join(c for c in text if c.isprintable() and c not in UNSEEN).split())
).filter(lambda text: "<l" not in text.lower())
NAMES = WORDS.filter(bool)
DRAFTS = st.builds(
    Draft,
    prompt=WORDS,
    negative_prompt=st.none() | NAMES,
    width=st.none() | st.integers(64, 4096),
    height=st.none() | st.integers(64, 4096),
    aspect=st.none() | st.tuples(st.integers(10, 99), st.integers(10, 99)),
    steps=st.none() | st.integers(1, MAX_STEPS),
    cfg_scale=st.none() | st.floats(0, 100),
    sampler=st.none() | NAMES,
    model=st.none() | NAMES,
    seed=st.none() | st.integers(0, MAX_SEED),
    guidance=st.none() | st.floats(0, 100),
    styles=st.lists(NAMES, max_size=2).map(tuple),
    hires=st.none()
    | st.builds(
        HiresFix,
        factor=st.floats(1, 4),
        denoising_strength=st.floats(0, 1),
        steps=st.none() | st.integers(1, MAX_STEPS),
    ),
    upscaler=st.none() | NAMES,
    mask_fill=st.none() | st.sampled_from(MaskFill),
    only_masked=st.none() | st.booleans(),
    tiling=st.none() | st.booleans(),
    zoom=st.none() | st.floats(1.25, 2),
    pan=st.none() | st.sampled_from(Pan),
    loras=st.lists(st.builds(Lora, name=NAMES, weight=st.floats(-10, 10)), max_size=2).map(tuple),
    denoising_strength=st.none() | st.floats(0, 1),
    workflow=st.none() | st.builds(WorkflowRef, name=NAMES),
)


@given(DRAFTS)
def test_any_draft_comes_back_from_its_one_line(draft):
    assert parse_prompt(format_prompt(draft)).draft == draft


@pytest.mark.parametrize("seed", [1_247_400, 1_000_000, MAX_SEED])
def test_large_seed_is_written_in_full(seed):
    assert format_prompt(Draft(prompt="a fox", seed=seed)) == f"a fox --seed {seed}"


def test_guidance_that_stands_for_the_cfg_scale_is_written_once():
    request = GenerationRequest(prompt="a fox", width=64, height=64, steps=9, cfg_scale=3.5, guidance=3.5, seed=1)
    assert format_prompt(request) == "a fox --size 64x64 --steps 9 --guidance 3.5 --seed 1"


def test_request_with_a_hires_fix_reads_back_as_one():
    hires = HiresFix(factor=1.5, denoising_strength=0.4, upscaler="R-ESRGAN 4x+")
    request = GenerationRequest(prompt="a fox", width=64, height=64, steps=9, cfg_scale=7.0, seed=1, hires=hires)
    draft = parse_prompt(format_prompt(request)).draft
    assert (draft.hires, draft.upscaler) == (HiresFix(factor=1.5, denoising_strength=0.4), "R-ESRGAN 4x+")


def test_workflow_is_written_by_its_name_alone():
    own = WorkflowRef(name="portrait", id="1", graph="{}")
    assert format_prompt(Draft(prompt="a fox", workflow=own)) == "a fox --workflow portrait"


def test_request_is_written_as_people_would_type_it():
    request = GenerationRequest(
        prompt="a fox", negative_prompt="hats", width=768, height=512, steps=30, cfg_scale=7.0, seed=42
    )
    assert format_prompt(request) == "a fox --negative hats --size 768x512 --steps 30 --cfg 7 --seed 42"
