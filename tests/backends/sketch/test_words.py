"""The word table: what a prompt is read as, and that all of it can be painted."""

import random
import re
from pathlib import Path

import pytest
from PIL import Image

from easel_sketch.painting import motifs, palettes, scenes, styles
from easel_sketch.painting.canvas import Canvas
from easel_sketch.painting.words import MEANINGS, Subject, read


def names(kind: str) -> set[str]:
    return {name for meanings in MEANINGS.values() for found, name in meanings if found == kind}


def test_every_word_has_something_to_paint():
    assert names("subject") <= set(motifs.MOTIFS)
    assert names("subject") <= set(scenes.HOMES)
    assert names("scene") - {"abstract"} <= set(scenes.SCENES)
    assert names("palette") <= set(palettes.PALETTES)
    assert names("style") <= set(styles.STYLES)
    assert names("tint") <= set(palettes.TINTS)


@pytest.mark.parametrize("scene", [place for scene in scenes.SCENES.values() for place in scene.palettes])
def test_every_scene_names_real_palettes(scene: str):
    assert scene in palettes.PALETTES


@pytest.mark.parametrize("name", sorted(motifs.MOTIFS))
def test_every_subject_leaves_a_mark(name: str):
    palette = palettes.PALETTES["poster"]
    image = Image.new("RGB", (96, 96), palette.middle)
    before = image.tobytes()
    motifs.draw_subjects(
        Canvas(image, key="k", palette=palette, detail=1), scenes.SCENES["blobs"], (Subject(name=name),)
    )
    assert image.tobytes() != before


@pytest.mark.parametrize("name", sorted(scenes.SCENES))
def test_every_scene_paints_at_low_detail(name: str):
    image = Image.new("RGB", (80, 48))
    canvas = Canvas(image, key="k", palette=palettes.PALETTES["dusk"], detail=0.1)
    for layer in (*scenes.SCENES[name].back, *scenes.SCENES[name].front):
        layer(canvas)
    assert len(image.getcolors(80 * 48) or []) > 3


@pytest.mark.parametrize("style", sorted(styles.STYLES))
def test_every_style_keeps_the_size(style: str):
    image = Image.new("RGB", (70, 64), (120, 90, 60))
    canvas = Canvas(image, key="k", palette=palettes.PALETTES["dusk"], detail=1)
    assert styles.finish(canvas, image, (style,)).size == (70, 64)


def test_colour_before_a_subject_is_the_subjects():
    reading = read("a red fox, blue")
    assert reading.subjects == (Subject(name="fox", tint=palettes.TINTS["red"]),)
    assert reading.tints == (palettes.TINTS["blue"],)


@pytest.mark.parametrize(
    ("prompt", "subjects"),
    [
        ("cats", [("cat", 2)]),
        ("three wolves", [("wolf", 3)]),
        ("a space explorer", [("astronaut", 1)]),
        ("anime cat girl", [("catgirl", 1)]),
        ("Portrait of Riley", [("person", 1)]),
        ("a hot air balloon over butterflies", [("balloon", 1), ("butterfly", 2)]),
        ("quarterly tax report", []),
    ],
)
def test_subjects_are_found(prompt: str, subjects: list[tuple[str, int]]):
    assert [(subject.name, subject.number) for subject in read(prompt).subjects] == subjects


@pytest.mark.parametrize(
    ("prompt", "scene"),
    [
        ("cyberpunk cityscape", "city"),
        ("coffee on a desk", "interior"),
        ("whale under the stars", "sea"),
        ("space explorer", "space"),
        ("portrait of Riley", "backdrop"),
        ("quarterly tax report", "charts"),
        ("a penguin", "snow"),
    ],
)
def test_place_follows_from_the_words(prompt: str, scene: str):
    assert scenes.choose(read(prompt), random.Random(1)) == scene


def test_the_examples_of_its_page_are_known():
    page = Path("docs/backends/sketch.md").read_text(encoding="utf-8")
    assert f"about {round(len(MEANINGS), -2)} English words" in page
    rows = dict(
        re.findall(r"^\| (subjects|scenes|light and weather|styles)(?: \(\d+\))? \| (.+) \|$", page, re.MULTILINE)
    )
    assert f"subjects ({len(motifs.MOTIFS)})" in page
    for kind, words in rows.items():
        for word in words.split(", "):
            found = read(word)
            is_known = {
                "subjects": found.subjects, "scenes": found.scenes or found.palettes,
                "light and weather": found.palettes or found.modifiers, "styles": found.styles,
            }  # fmt: skip
            assert is_known[kind], word
    assert len(rows) == 4


def test_at_most_three_subjects_are_taken():
    assert [item.name for item in read("a fox, a cat, an owl, a whale").subjects] == ["fox", "cat", "owl"]


@pytest.mark.parametrize("prompt", ["a fox without a hat", "a fox riding a horse"])
def test_a_sentence_is_its_words(prompt: str):
    assert set(read(prompt).subjects) == set(read(", ".join(prompt.split())).subjects)


def test_unknown_words_get_an_abstract_ground():
    assert {scenes.choose(read("xyzzy"), random.Random(seed)) for seed in range(60)} == set(scenes.ABSTRACT)


def test_negative_prompt_removes_words():
    reading = read("a cat in the rain at night, watercolor", "cats, rain, watercolor")
    assert not reading.subjects
    assert "rain" not in reading.modifiers
    assert not reading.styles
    assert "night" in reading.palettes
