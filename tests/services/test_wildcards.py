"""`__animal__`: a line of a file, chosen by the seed."""

import os
from pathlib import Path

import pytest

from generation.request import Draft
from services.drawing.wildcards import WildcardService


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "wildcards"
    (made / "colours").mkdir(parents=True)
    (made / "animal.txt").write_text("# friends\nfox\n\nowl\nhare\nbear\nwolf\n", "utf-8")
    (made / "colours" / "Warm.txt").write_text("red\norange\n", "utf-8")
    (made / "beast.txt").write_text("a {big|small} __animal__\n", "utf-8")
    return made


async def one(service: WildcardService, prompt: str, seed: int | None = 1) -> Draft:
    drafts, _ = await service.fill([Draft(prompt=prompt, seed=seed)])
    return drafts[0]


async def test_the_same_seed_chooses_the_same_line_and_others_choose_others(folder: Path) -> None:
    service = WildcardService(folder)
    chosen = [(await one(service, "a __animal__", seed)).prompt for seed in range(40)]
    assert chosen == [(await one(WildcardService(folder), "a __animal__", seed)).prompt for seed in range(40)]
    assert set(chosen) == {"a fox", "a owl", "a hare", "a bear", "a wolf"}


async def test_without_a_seed_one_is_drawn_and_kept_with_the_draft(folder: Path) -> None:
    service = WildcardService(folder)
    draft = await one(service, "a __animal__", None)
    assert draft.seed is not None
    assert (await one(service, "a __animal__", draft.seed)).prompt == draft.prompt


async def test_two_of_a_name_are_two_choices(folder: Path) -> None:
    service = WildcardService(folder)
    pairs = {(await one(service, "__animal__ __animal__", seed)).prompt for seed in range(30)}
    assert any(first != second for first, second in (pair.split() for pair in pairs))


async def test_lists_may_stand_in_folders_and_name_others_and_have_choices(folder: Path) -> None:
    service = WildcardService(folder)
    assert (await one(service, "__COLOURS/warm__ sky")).prompt in ("red sky", "orange sky")
    words = (await one(service, "__beast__")).prompt.split()
    assert words[1] in ("big", "small")
    assert words[2] in ("fox", "owl", "hare", "bear", "wolf")


async def test_the_negative_prompt_has_them_too(folder: Path) -> None:
    drafts, _ = await WildcardService(folder).fill([Draft(prompt="x", negative_prompt="__colours/warm__", seed=3)])
    assert drafts[0].negative_prompt in ("red", "orange")


async def test_lists_that_name_each_other_come_to_an_end(folder: Path) -> None:
    (folder / "a.txt").write_text("__b__ __b__ __b__ __b__\n")
    (folder / "b.txt").write_text("__a__ __a__ __a__ __a__\n")
    assert len((await one(WildcardService(folder), "__a__")).prompt) < 5_000


async def test_a_name_without_a_list_stays_and_is_remarked_on(folder: Path) -> None:
    service = WildcardService(folder)
    drafts, remarks = await service.fill([Draft(prompt="a __anmal__ and __init__", seed=1)])
    assert drafts[0].prompt == "a __anmal__ and __init__"
    assert remarks == (
        "“__anmal__” was read as words: did you mean __animal__?",
        "“__init__” was read as words: there is no such wildcard",
    )


async def test_without_lists_nothing_is_said_of_them(tmp_path: Path) -> None:
    draft = Draft(prompt="a __animal__")
    assert await WildcardService(tmp_path / "none").fill([draft]) == ([draft], ())


async def test_a_changed_file_holds_at_once(folder: Path) -> None:
    service = WildcardService(folder)
    await one(service, "a __animal__")
    (folder / "animal.txt").write_text("cat\n", "utf-8")
    assert (await one(service, "a __animal__")).prompt == "a cat"


async def test_a_link_out_of_the_folder_is_no_list(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("password\n")
    os.symlink(tmp_path / "secret.txt", folder / "secret.txt")
    assert (await one(WildcardService(folder), "__secret__")).prompt == "__secret__"
    assert "secret" not in await WildcardService(folder).names()


async def test_a_name_leads_to_no_file_outside(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("password\n")
    assert "password" not in (await one(WildcardService(folder), "__../secret__ __a/../../secret__")).prompt


async def test_what_is_too_large_is_left_out(folder: Path) -> None:
    (folder / "huge.txt").write_text("x\n" * 600_000)
    assert (await one(WildcardService(folder), "__huge__")).prompt == "__huge__"
