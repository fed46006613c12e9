"""Show where a field is seen: run with a table that has one more, it prints the field's name once for each door."""

from typing import Any

from api.form import form_fields
from api.schemas.requests import DraftIn, RequestOut
from app.cli import parse
from cogs.help import help_pages
from cogs.slash import draft_of_options, slash_option
from generation.fields import BY_FIELD, Field, Kind
from generation.prompt_syntax import format_prompt, parse_prompt
from generation.request import Draft, Mode
from generation.resolve import resolve
from scripts import write_fields
from services.pictures.labels import parameters_of
from services.pictures.pictures import draft_from
from utils.images import ImageInfo
from utils.infotext import parse_infotext


def sample(field: Field) -> Any:
    """Return the value that the example of a field is."""
    return getattr(parse_prompt(f"a fox {field.flag} {field.example}").draft, field.name)


def said_in_api(field: Field) -> Any:
    """Return a value as the API takes it."""
    by_kind: dict[Kind, Any] = {
        Kind.PROMPT: "a fox",
        Kind.MODE: Mode.IMG2IMG,
        Kind.PICTURE: "m1",
        Kind.PICTURES: ["m1"],
        Kind.UNITS: [{"kind": "depth", "image": "m1"}],
        Kind.OPTIONS: {"detail": 1.3},
        Kind.LORA: [{"name": "add_detail"}],
        Kind.HIRES: {"factor": 1.5},
        Kind.FLAG: True,
    }
    if field.kind in by_kind:
        return by_kind[field.kind]
    return [field.example] if field.kind is Kind.NAMES else field.example


def main(name: str) -> None:
    field = BY_FIELD[name]
    draft = parse_prompt(f"a fox {field.flag} {field.example}").draft
    value = getattr(draft, name)
    request = resolve(draft, width=64, height=64, steps=20, cfg_scale=7.0)
    info = ImageInfo(media_type="image/png", width=64, height=64)
    metadata = parameters_of(request, info, seed=1, model=None, engine="gpu1")
    help_texts = ("\n".join(page.content for page in help_pages()[1:]), parse(["generate", "-h"]).text)
    doors = (
        parse_prompt(format_prompt(request)).draft.over(Draft()) and getattr(request, name) == value,
        getattr(DraftIn(**{name: value}).to_draft(), name) == value,
        DraftIn.model_json_schema()["properties"][name]["description"] == field.sentence,
        name in RequestOut.model_fields,
        getattr(draft_of_options({field.slash: value}, {}), name) == value and slash_option(name).max_value == 1,
        all(f"{field.flag} {field.example}" in text for text in help_texts),
        getattr(draft_from(parse_infotext(metadata)), name) == value,
        any(row["name"] == name for row in form_fields()),
        f"| `{name}` |" in write_fields.page(write_fields.PAGE.read_text("utf-8")),
    )
    for is_seen in doors:
        print(name if is_seen else "-")


if __name__ == "__main__":
    main("eta")
