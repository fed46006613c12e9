"""A field of a request is described once: every row of the table is seen at every door, and so is a new one."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.schemas.jobs import RequestOut
from api.schemas.requests import DraftIn
from app.cli import parse
from cogs.help import help_pages
from cogs.slash import draft_of_options, slash_option, with_options
from generation.errors import RequestRejected
from generation.fields import BY_FIELD, FIELDS, Field, Kind
from generation.prompt_syntax import format_prompt, parse_prompt
from generation.request import Draft, GenerationRequest
from generation.resolve import resolve
from scripts import write_fields
from services.pictures.labels import parameters_of
from services.pictures.pictures import draft_from
from tests.fields_probe import said_in_api, sample
from utils.images import ImageInfo
from utils.infotext import parse_infotext

ROOT = Path(__file__).parents[1]
OPTIONS = [field for field in FIELDS if field.is_option]
IN_DRAFT = [field for field in FIELDS if field.name in Draft.__dataclass_fields__]
SHOWN = [field for field in FIELDS if field.name in RequestOut.model_fields]
WRITTEN = [field for field in FIELDS if field.infotext]
SLASH = [field for field in FIELDS if field.slash]
# Typed attributes, engines and what they can be told, and the words of other programs; everything else asks the table.
MAY_NAME = (
    "generation/fields.py", "generation/request.py", "generation/capabilities.py", "backends/",
    "utils/foreign_settings.py", "api/types/answers.d.ts",
)  # fmt: skip
READ_BY_DISCORD = [field for field in SLASH if field.example and field.name in Draft.__dataclass_fields__]


def named(fields: list[Field]) -> Any:
    return pytest.mark.parametrize("field", fields, ids=lambda field: field.name)


@named([field for field in FIELDS if field.kind not in (Kind.SIZE, Kind.EXTRA)])
def test_a_row_is_an_attribute_of_drafts_or_of_what_is_parsed(field: Field) -> None:
    assert field.name in Draft.__dataclass_fields__ or field.name in ("text", "repeat", "private", "spoiler", "restyle")


def test_every_attribute_of_drafts_and_requests_has_a_row() -> None:
    attributes = Draft.__dataclass_fields__.keys() | GenerationRequest.__dataclass_fields__.keys()
    assert attributes - {"is_source_size"} <= BY_FIELD.keys()  # that it is a picture's own, nobody says


@named(OPTIONS)
def test_a_prompt_says_it_by_each_of_its_names(field: Field) -> None:
    value = f" {field.example}" if field.example else ""
    parsed = parse_prompt(f"a fox {field.flag}{value}")
    assert parsed != parse_prompt("a fox")
    assert parsed.notes == ()
    assert all(parse_prompt(f"a fox --{name}{value}") == parsed for name in field.aliases)
    assert parse_prompt(format_prompt(parsed.draft)).draft == parsed.draft


@named([field for field in OPTIONS if field.limits and field.kind in (Kind.INTEGER, Kind.NUMBER, Kind.FACTOR)])
def test_its_range_holds_in_a_prompt_and_is_named(field: Field) -> None:
    assert field.limits is not None
    with pytest.raises(RequestRejected, match=re.escape(str(field.limits))):
        parse_prompt(f"a fox {field.flag} {field.limits.high + 1:g}")


@named(OPTIONS)
def test_it_has_a_line_in_the_help_of_discord_and_of_the_command_line(field: Field) -> None:
    pages = "\n".join(page.content for page in help_pages()[1:])
    console = parse(["generate", "--help"]).text
    assert all(field.flag in text and field.meaning in text for text in (pages, console))


@named([*IN_DRAFT, BY_FIELD["text"]])
def test_the_api_takes_it_and_describes_it(field: Field) -> None:
    about = DraftIn.model_json_schema()["properties"][field.name]
    assert about["description"] == field.sentence
    if field.limits and field.kind is not Kind.SEED:
        assert (about["minimum"], about["maximum"]) == (field.limits.low, field.limits.high)
    if field.name != "text":
        draft = DraftIn(**{field.name: said_in_api(field)}).to_draft()
        assert getattr(draft, field.name) not in (None, (), "")


@named(SHOWN)
def test_the_api_shows_it_in_a_job(field: Field) -> None:
    assert RequestOut.model_json_schema()["properties"][field.name]["description"] == field.sentence


@named(SLASH)
def test_discord_offers_it_with_its_range_and_help(field: Field) -> None:
    option = slash_option(field.name)
    assert option.description.startswith(field.sentence.rstrip("."))
    assert len(option.description) <= 100
    if field.limits and field.kind in (Kind.INTEGER, Kind.NUMBER):
        assert (option.min_value, option.max_value) == (field.limits.low, field.limits.high)


@named(READ_BY_DISCORD)
def test_discord_reads_it(field: Field) -> None:
    value: Any = field.example if field.kind not in (Kind.INTEGER, Kind.NUMBER, Kind.SEED) else float(field.example)
    draft = draft_of_options({field.slash: int(value) if field.kind in (Kind.INTEGER, Kind.SEED) else value}, {})
    assert draft == parse_prompt(f"{field.flag} {field.example}").draft


def test_the_command_has_an_option_for_each_slash_name() -> None:
    async def command(self: object, interaction: object, **reply: object) -> None: ...

    names = get_names(with_options(command))
    assert names == [*dict.fromkeys(names)]
    assert {field.slash for field in SLASH} <= {*names}


def get_names(command: Any) -> list[str]:
    return list(command.__signature__.parameters)[2:]


@named(WRITTEN)
def test_a_picture_keeps_it_in_its_metadata(field: Field) -> None:
    asked = Draft(**{"prompt": "a fox", field.name: sample(field)})
    request = resolve(asked, width=64, height=64, steps=20, cfg_scale=7.0)
    request = replace(request, **{field.name: sample(field)})  # in whatever mode it means something
    info = ImageInfo(media_type="image/png", width=64, height=64)
    text = parameters_of(request, info, seed=request.seed, model=None, engine="gpu1")
    assert f"{field.infotext}: " in text
    assert getattr(draft_from(parse_infotext(text)), field.name) == sample(field)


def test_the_page_of_fields_is_the_table() -> None:
    text = write_fields.PAGE.read_text(encoding="utf-8")
    assert text == write_fields.page(text), "run python -m scripts.write_fields"


def test_no_code_but_the_engines_names_a_field_that_only_engines_use() -> None:
    listed = subprocess.run(["git", "grep", "-lE", r"clip_skip|clipSkip", "--", "*.py", "*.js", "*.ts", ":!tests"],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
    assert [path for path in listed if not path.startswith(MAY_NAME)] == []


def test_a_field_that_is_added_to_the_table_is_seen_at_every_door(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "generation", tmp_path / "generation")
    table, request = tmp_path / "generation" / "fields.py", tmp_path / "generation" / "request.py"
    row = """    Field(
        name="eta", kind=Kind.NUMBER, option="noisiness", example="0.5", limits=Range(low=0, high=1),
        help="noise between the steps, {range}", slash="eta", infotext="Eta",
        control=Control(place="more", high=1, step=0.1, usual=0),
    ),
"""
    table.write_text(table.read_text("utf-8").replace("FIELDS: Final = (\n", f"FIELDS: Final = (\n{row}", 1), "utf-8")
    attribute = "    tiling: bool | None = None\n"
    text = request.read_text("utf-8")
    assert text.count(attribute) == 2
    request.write_text(text.replace(attribute, f"{attribute}    eta: float | None = None\n"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.fields_probe"],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["eta"] * 9, done.stdout + done.stderr
