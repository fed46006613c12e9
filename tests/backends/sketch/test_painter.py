"""The painter: the same wish gives the same picture, every step counts, and masks are obeyed."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image, ImageChops, ImageStat

from easel_sketch.painting import painter
from easel_sketch.painting.painter import Painting, Stopped, inpaint, paint, repaint, sign, upscale

FOX = Painting(prompt="a red fox in a snowy forest", width=160, height=128, steps=6, seed=7)
SOURCE = Image.linear_gradient("L").resize((160, 128)).convert("RGB")


def difference(first: Image.Image, second: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


class Recorder:
    """Looks at every `look`-th step."""

    def __init__(self, stop_at: int | None = None, look: int = 1) -> None:
        self.calls: list[tuple[int, int]] = []
        self.previews: list[bytes] = []
        self.stop_at, self.look = stop_at, look

    def __call__(self, step: int, steps: int, make_preview: Callable[[], bytes]) -> bool:
        self.calls.append((step, steps))
        if step % self.look == 0:
            self.previews.append(make_preview())
        return step != self.stop_at


def test_same_wish_gives_the_same_bytes():
    assert paint(FOX).tobytes() == paint(FOX).tobytes()


def test_watching_does_not_change_the_picture():
    assert paint(FOX, Recorder()).tobytes() == paint(FOX).tobytes()


@pytest.mark.parametrize("change", [{"prompt": "a cute cat"}, {"seed": 8}, {"prompt": "xyzzy"}, {"prompt": ""}])
def test_another_wish_gives_another_picture(change: dict[str, object]):
    assert difference(paint(FOX), paint(replace(FOX, **change))) > 5


@pytest.mark.parametrize(("fewer", "more"), [(1, 4), (4, 12), (12, 40)])
def test_more_steps_give_more_detail(fewer: int, more: int):
    first, second = (paint(replace(FOX, prompt="meadow", steps=steps)) for steps in (fewer, more))
    assert difference(first, second) > 0.3


def test_detail_comes_early_and_ends_at_forty_steps():
    """8 steps are about two thirds of the way, 20 nearly all of it, and more than 40 show nothing new."""
    wish = replace(FOX, prompt="meadow", width=256, height=256)
    pictures = {steps: paint(replace(wish, steps=steps)) for steps in (1, 8, 20, 40, 150)}
    left = {steps: difference(picture, pictures[40]) for steps, picture in pictures.items()}
    assert left[1] > left[8] > left[20]
    assert left[20] < left[1] / 3
    assert left[150] < left[8] / 4


@pytest.mark.parametrize("prompt", ["a red fox in a snowy forest", "meadow", "a city at sunset"])
def test_a_high_cfg_is_stronger_in_colour_and_a_low_one_paler(prompt: str):
    def saturation(cfg_scale: float) -> float:
        picture = paint(replace(FOX, prompt=prompt, cfg_scale=cfg_scale))
        return ImageStat.Stat(picture.convert("HSV").getchannel("S")).mean[0]

    assert saturation(2) < saturation(7) < saturation(14)


def test_one_step_is_a_soft_wash():
    def edges(steps: int) -> float:
        picture = paint(replace(FOX, prompt="a city skyline", steps=steps)).crop((0, 0, 160, 90))
        return difference(picture, ImageChops.offset(picture, 1, 0))

    assert edges(1) < edges(30)


@pytest.mark.parametrize("steps", [1, 2, 3, 150])
def test_any_number_of_steps_reports_each_once(steps: int):
    recorder = Recorder(look=50)
    paint(replace(FOX, steps=steps, width=64, height=64), recorder)
    assert recorder.calls == [(step, steps) for step in range(1, steps + 1)]


@pytest.mark.parametrize(
    ("prompt", "size"),
    [
        ("castle in the mountains", (64, 64)),
        ("castle in the mountains", (333, 217)),
        ("castle in the mountains", (4096, 128)),
        ("xyzzy", (1024, 64)),
        ("xyzzy", (64, 1024)),
    ],
)
def test_every_size_and_aspect_is_painted_exactly(prompt: str, size: tuple[int, int]):
    picture = paint(replace(FOX, prompt=prompt, width=size[0], height=size[1], steps=2), Recorder())
    assert picture.size == size
    assert picture.mode == "RGB"


def test_size_only_scales_the_composition():
    small, large = (paint(replace(FOX, width=side, height=side, steps=20)) for side in (256, 512))
    reduced = [picture.resize((24, 24), Image.Resampling.BOX) for picture in (small, large)]
    assert difference(*reduced) < 6


@pytest.mark.parametrize("prompt", ["", "   ", "🦊 лиса 狐", "\ud800", "word " * 5000, "x" * 20000, "\x00"])
def test_odd_prompts_are_painted(prompt: str):
    assert paint(replace(FOX, prompt=prompt, steps=1)).size == (160, 128)


def test_negative_prompt_takes_the_subject_out():
    with_cat = paint(replace(FOX, prompt="a cat in a meadow"))
    assert difference(with_cat, paint(replace(FOX, prompt="a cat in a meadow", negative_prompt="cats"))) > 2


def test_guidance_changes_the_colours_only_a_little():
    assert 0 < difference(paint(FOX), paint(replace(FOX, cfg_scale=12))) < 12


@pytest.mark.parametrize("stop_at", [1, 3, 6])
def test_stop_in_mid_run_raises(stop_at: int):
    recorder = Recorder(stop_at)
    with pytest.raises(Stopped):
        paint(FOX, recorder)
    assert len(recorder.calls) == stop_at


def test_previews_are_small_jpegs_that_become_the_picture():
    recorder = Recorder()
    picture = paint(replace(FOX, width=640, height=320), recorder)
    shown = [Image.open(io.BytesIO(preview)) for preview in recorder.previews]
    assert {image.format for image in shown} == {"JPEG"}
    assert all(max(image.size) <= painter.PREVIEW_PX for image in shown)
    target = picture.resize(shown[-1].size)
    assert difference(shown[-1].convert("RGB"), target) < difference(
        shown[0].convert("RGB").resize(target.size), target
    )


def test_repaint_with_strength_zero_is_the_source():
    assert repaint(FOX, SOURCE, 0).tobytes() == SOURCE.tobytes()


def test_repaint_with_strength_zero_fits_the_size():
    resized = SOURCE.resize((80, 96), Image.Resampling.LANCZOS)
    assert repaint(replace(FOX, width=80, height=96), SOURCE, 0).tobytes() == resized.tobytes()


def test_repaint_with_strength_one_ignores_the_source():
    assert repaint(FOX, SOURCE, 1).tobytes() == paint(FOX).tobytes()


def test_repaint_moves_from_the_source_to_the_painting():
    away = [difference(repaint(FOX, SOURCE, strength), SOURCE) for strength in (0.1, 0.4, 0.7, 1.0)]
    assert away == sorted(away)
    assert len(set(away)) == 4


@pytest.mark.parametrize(("strength", "has_shapes"), [(0.1, False), (0.3, False), (0.5, True)])
def test_shapes_of_the_painting_come_above_a_strength_of_0_3(strength: float, has_shapes: bool):
    studio = painter._Studio(FOX)
    white, black = (studio.over(SOURCE, Image.new("RGB", SOURCE.size, item), strength) for item in ("white", "black"))
    assert (difference(white, black) > 0) is has_shapes
    assert difference(white, SOURCE) > 0


@pytest.mark.parametrize(
    ("strength", "area"),
    [
        (0.0, (20, 20, 90, 100)),
        (0.4, (20, 20, 90, 100)),
        (0.4, (0, 0, 160, 128)),
        (1.0, (20, 20, 90, 100)),
        (1.0, (100, 90, 160, 128)),
    ],
)
def test_inpaint_keeps_every_pixel_outside_of_the_mask(strength: float, area: tuple[int, int, int, int]):
    mask = Image.new("L", SOURCE.size)
    mask.paste(255, area)
    picture = inpaint(FOX, SOURCE, mask, strength, Recorder(look=3))
    changed = ImageChops.difference(picture, SOURCE).getbbox()
    if strength == 0:
        assert changed is None
    else:
        assert changed is not None
        outside = picture.copy()
        outside.paste(SOURCE.crop(area), area[:2])
        assert outside.tobytes() == SOURCE.tobytes()


def test_inpaint_with_an_empty_mask_changes_nothing():
    assert inpaint(FOX, SOURCE, Image.new("L", SOURCE.size), 1.0).tobytes() == SOURCE.tobytes()


@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "LA", "1", "CMYK"])
def test_sources_of_any_mode_are_taken(mode: str):
    source = SOURCE.convert("L").convert("LA") if mode == "LA" else SOURCE.convert(mode)
    assert repaint(FOX, source, 0.5).mode == "RGB"
    assert upscale(source, 2).size == (320, 256)


def test_upscale_enlarges_faithfully_and_reports_its_steps():
    recorder = Recorder()
    picture = upscale(paint(FOX), 2.5, recorder)
    assert picture.size == (400, 320)
    assert [step for step, _ in recorder.calls] == list(range(1, painter.UPSCALE_STEPS + 1))
    assert difference(picture.resize((160, 128), Image.Resampling.BOX), paint(FOX)) < 4


def test_upscale_can_be_stopped():
    with pytest.raises(Stopped):
        upscale(SOURCE, 2, Recorder(stop_at=2))


@pytest.mark.parametrize("shade", [0, 90, 160, 255])
@pytest.mark.parametrize("width", [256, 512, 2048])
def test_legend_is_readable_in_the_lower_corner_only(shade: int, width: int):
    plain = Image.new("RGB", (width, width), (shade,) * 3)
    signed = sign(plain)
    area = ImageChops.difference(signed, plain).getbbox()
    assert area is not None
    assert area[1] > width * 0.85
    assert area[2] - area[0] > width * 0.3
    low, high = signed.crop(area).convert("L").getextrema()
    assert high - low > 110


def test_paint_signs_its_pictures(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(painter, "sign", lambda image: image)
    bare = paint(FOX)
    monkeypatch.undo()
    assert paint(FOX).tobytes() == sign(bare).tobytes()
