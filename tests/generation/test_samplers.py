"""Sampler names against the lists that real servers gave (tests/data/sampler_names.json)."""

import json
from pathlib import Path

import pytest

from generation.samplers import _SAMPLERS, SamplerMatch, match_name, match_sampler, match_scheduler

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "sampler_names.json").read_text())
SERVERS = {server: [row["name"] for row in lists["samplers"]] for server, lists in RECORDED.items()}
SAMPLER_NAMES = [row.name for row in _SAMPLERS]
SPELLINGS = sorted({name for names in SERVERS.values() for name in names} | set(SAMPLER_NAMES))


@pytest.mark.parametrize(
    ("wanted", "a1111", "comfyui", "horde"),
    [
        ("euler_a", "Euler a", "euler_ancestral", "k_euler_a"),
        ("dpm++_2m", "DPM++ 2M", "dpmpp_2m", "k_dpmpp_2m"),
        ("ddim", "DDIM", "ddim", "DDIM"),
        ("K_DPMPP_2S_ANCESTRAL", "DPM++ 2S a", "dpmpp_2s_ancestral", "k_dpmpp_2s_a"),
        ("DPM2 A", "DPM2 a", "dpm_2_ancestral", "k_dpm_2_a"),
        ("dpm adaptive", "DPM adaptive", "dpm_adaptive", "k_dpm_adaptive"),
        ("EulerAncestralDiscreteScheduler", "Euler a", "euler_ancestral", "k_euler_a"),
    ],
)
def test_one_sampler_is_found_in_every_dialect(wanted, a1111, comfyui, horde):
    for server, name in (("a1111", a1111), ("comfyui", comfyui), ("horde", horde)):
        assert match_sampler(wanted, SERVERS[server]) == SamplerMatch(name=name)


@pytest.mark.parametrize("server", SERVERS)
def test_every_spelling_maps_to_a_name_the_server_has_or_to_nothing(server):
    for wanted in SPELLINGS:
        found = match_sampler(wanted, SERVERS[server])
        assert found is None or found.name in SERVERS[server]


@pytest.mark.parametrize("server", SERVERS)
def test_our_own_names_always_find_something_on_a_full_server(server):
    assert [name for name in SAMPLER_NAMES if match_sampler(name, SERVERS[server]) is None] == []


@pytest.mark.parametrize("server", ["a1111", "forge"])
def test_the_servers_own_aliases_mean_the_same_to_us(server):
    for row in RECORDED[server]["samplers"]:
        for alias in row["aliases"]:
            assert match_sampler(alias, SERVERS[server]) == SamplerMatch(name=row["name"])


def test_a_name_survives_the_way_from_one_server_to_another_and_back():
    both = set(SERVERS["a1111"]) - {"Restart", "PLMS", "UniPC"}  # not in ComfyUI under any name, or under two
    for name in both:
        there = match_sampler(name, SERVERS["comfyui"])
        if there and not there.is_nearest:
            assert match_sampler(there.name, SERVERS["a1111"]) == SamplerMatch(name=name)


@pytest.mark.parametrize("wanted", ["DPM++ 2M Karras", "dpmpp_2m_karras", "k_dpmpp_2m KARRAS"])
def test_combined_name_is_split_into_sampler_and_scheduler(wanted):
    assert match_sampler(wanted, SERVERS["a1111"]) == SamplerMatch(name="DPM++ 2M", scheduler="Karras")
    assert match_sampler(wanted, SERVERS["comfyui"]) == SamplerMatch(name="dpmpp_2m", scheduler="Karras")


def test_combined_name_stays_whole_where_the_server_lists_it():
    assert match_sampler("dpm++ 2m karras", ["Euler a", "DPM++ 2M Karras"]) == SamplerMatch(name="DPM++ 2M Karras")


def test_absent_sampler_gives_its_nearest_relative():
    assert match_sampler("plms", ["euler", "ddim"]) == SamplerMatch(name="ddim", is_nearest=True)
    assert match_sampler("plms", ["euler", "dpmpp_2m"]) == SamplerMatch(name="euler", is_nearest=True)
    assert match_sampler("plms", ["something else"]) is None


def test_sampler_unknown_to_the_table_is_looked_up_in_the_servers_list():
    assert match_sampler("brand new", ["euler", "Brand_New"]) == SamplerMatch(name="Brand_New")
    assert match_sampler("no such thing", ["euler"]) is None


@pytest.mark.parametrize(
    ("wanted", "server", "expected"),
    [
        ("karras", "a1111", "karras"),
        ("KARRAS", "comfyui", "karras"),
        ("SGM Uniform", "comfyui", "sgm_uniform"),
        ("SGMUniform", "a1111", "sgm_uniform"),
        ("ddim_uniform", "a1111", "ddim"),
        ("DDIM", "comfyui", "ddim_uniform"),
        ("uniform", "comfyui", None),
        ("align your steps", "comfyui", None),
        ("ays", "forge", "align_your_steps"),
        ("nonsense", "a1111", None),
    ],
)
def test_scheduler_is_found_by_name_label_or_alias(wanted, server, expected):
    assert match_scheduler(wanted, [row["name"] for row in RECORDED[server]["schedulers"]]) == expected


MODELS = ["SD15/dreamshaper_8.safetensors [879db523c3]", "sdxl/juggernautXL-v9.safetensors", "flux1-dev.gguf", "tiny"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (MODELS[0], MODELS[0]),
        ("TINY", "tiny"),
        ("dreamshaper_8", MODELS[0]),
        ("dreamshaper 8.ckpt", MODELS[0]),
        ("sd15\\DreamShaper-8", MODELS[0]),
        ("juggernaut", MODELS[1]),
        ("dev", MODELS[2]),
        ("xl", None),  # too short to guess from
        ("e", None),
        ("", None),
        ("midjourney", None),
    ],
)
def test_name_is_matched_as_people_write_it(wanted, expected):
    assert match_name(wanted, MODELS) == expected


def test_ambiguous_name_matches_nothing():
    assert match_name("foo", ["a/foo.ckpt", "b/foo.ckpt"]) is None
    assert match_name("dream", ["dream_a", "dream_b"]) is None
    assert match_name("b/foo", ["a/foo.ckpt", "b/foo.ckpt"]) == "b/foo.ckpt"
