"""Well-known graphs of several families: where their values go, as the page says it."""

import pytest

from backends.comfyui.facts import read_facts
from backends.comfyui.workflows.apply import workflow_capabilities
from generation.request import Mode
from tests.backends.comfyui.families import FAMILIES, family, family_info, page, table

PICTURE = {"Flux Kontext", "Qwen-Image-Edit", "Wan, from a picture"}
VIDEO = {"Wan, from words", "Wan, from a picture"}


def test_the_table_of_the_page_is_what_is_found_in_the_graphs() -> None:
    assert table() in page(), f"\n{table()}"


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_words_a_seed_steps_and_a_size_or_a_picture(name: str) -> None:
    mapping = family(name).mapping
    assert mapping.prompt
    assert mapping.seed
    assert mapping.steps
    assert mapping.width or mapping.images
    assert bool(mapping.images) is (name in PICTURE)
    assert {option.name for option in mapping.options} == ({"frames", "fps"} if name in VIDEO else set())


@pytest.mark.parametrize("name", FAMILIES)
def test_families_that_take_a_picture_are_drawn_from_one(name: str) -> None:
    can = workflow_capabilities(family(name), read_facts("0.33.0", family_info(), {}), {})
    assert can.modes == ({Mode.IMG2IMG} if name in PICTURE else {Mode.TXT2IMG})


def test_a_video_is_made_in_the_steps_of_pixels_its_node_takes() -> None:
    can = workflow_capabilities(family("Wan, from a picture"), read_facts("0.33.0", family_info(), {}), {})
    assert (can.size_grid, can.default_width, can.default_height) == (16, 512, 512)
