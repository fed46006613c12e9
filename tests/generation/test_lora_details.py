"""`<lora:…>` in every form that people paste, and what of it reaches an engine or is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.capabilities import Capabilities, Fit, fit
from generation.errors import RequestRejected
from generation.lora_tags import with_tags_as_loras
from generation.prompt_syntax import format_prompt, parse_prompt
from generation.request import (
    Draft,
    GenerationRequest,
    Lora,
    Mode,
    draft_from_json,
    draft_to_json,
    request_from_json,
    request_to_json,
)

PLAIN = Capabilities(modes=frozenset({Mode.TXT2IMG}), loras=None)
READS = Capabilities(modes=frozenset({Mode.TXT2IMG}), loras=None, reads_lora_tags=True)


def request_of(draft: Draft) -> GenerationRequest:
    return GenerationRequest(
        prompt=draft.prompt, width=512, height=512, steps=9, cfg_scale=7.0, seed=1, loras=draft.loras
    )


@pytest.mark.parametrize(
    ("tag", "lora"),
    [
        ("<lora:tinylora: 0.8 >", Lora(name="tinylora", weight=0.8)),
        ("<lora:tinylora:0,8>", Lora(name="tinylora", weight=0.8)),
        ("<lora:tinylora:０．８>", Lora(name="tinylora", weight=0.8)),
        ("<lora:tinylora:80%>", Lora(name="tinylora", weight=0.8)),
        ("<lora:tinylora:.8>", Lora(name="tinylora", weight=0.8)),
        ("<lora:tinylora:−1>", Lora(name="tinylora", weight=-1)),
        ("< lora : tinylora : 0.8 >", Lora(name="tinylora", weight=0.8)),
        ("＜lora：tinylora：0.8＞", Lora(name="tinylora", weight=0.8)),
        ("<LyCO:tinylora:0.8\u200b>", Lora(name="tinylora", weight=0.8)),
        ("<lora:tinylora:>", Lora(name="tinylora")),
        ("<lora:tiny lora>", Lora(name="tiny lora")),
        ("<lora:tinylora:0.8:0.5>", Lora(name="tinylora", weight=0.8, details="0.5")),
        ("<lora:tinylora:1.0:te=0.5:unet=0.7>", Lora(name="tinylora", details="te=0.5:unet=0.7")),
        ("<lora:tinylora:te=0.5>", Lora(name="tinylora", details="te=0.5")),
        ("<lora:tinylora:1:lbw=1,0,1>", Lora(name="tinylora", details="lbw=1,0,1")),
        ("<lora:tinylora:0,5:1:lbw=OUTALL:stop=10>", Lora(name="tinylora", weight=0.5, details="1:lbw=OUTALL:stop=10")),
    ],
)  # fmt: skip
def test_a_tag_is_read_in_every_spelling(tag: str, lora: Lora) -> None:
    draft = parse_prompt(f"{tag} cat").draft
    assert draft == Draft(prompt="cat", loras=(lora,))
    assert parse_prompt(format_prompt(draft)).draft == draft
    assert draft_from_json(draft_to_json(draft)) == draft
    request = request_of(draft)
    assert request_from_json(request_to_json(request)) == request
    if "\u200b" not in tag:
        assert with_tags_as_loras(Draft(prompt=f"{tag} cat")) == draft


@pytest.mark.parametrize("weight", ["abc", "heavy", "0.8.1", "1e", "--"])
def test_a_weight_that_is_none_is_refused_by_its_name(weight: str) -> None:
    for read in (parse_prompt, lambda text: with_tags_as_loras(Draft(prompt=text))):
        with pytest.raises(RequestRejected, match=f"LoRA cannot be “tinylora:{weight}”") as caught:
            read(f"<lora:tinylora:{weight}> cat")
        assert caught.value.field == "loras"


def test_a_tag_right_after_a_number_is_a_tag() -> None:
    expected = Draft(prompt="cat", steps=20, loras=(Lora(name="x"),))
    assert parse_prompt("cat --steps 20<lora:x:1>").draft == expected
    assert parse_prompt("cat <lora:x:1>--steps 20").draft == expected


def test_details_are_said_by_engines_that_do_not_read_them() -> None:
    request = request_of(parse_prompt("cat <lora:tinylora:0.8:te=0.5>").draft)
    fitted = fit(request, PLAIN)
    assert isinstance(fitted, Fit)
    assert fitted.request.loras == (Lora(name="tinylora", weight=0.8),)
    assert fitted.notes == ("LoRA tinylora: “te=0.5” left out, which only A1111 and Forge read",)
    assert fit(request, READS) == Fit(request=request)


@pytest.mark.parametrize(
    ("text", "prompt", "loras"),
    [
        ("cat {a|<lora:x:1>}", "cat {a|<lora:x:1>}", ()),
        ("cat {a|{b|<lora:x:1>} c}", "cat {a|{b|<lora:x:1>} c}", ()),
        ("cat {a <lora:x:1>|b} <lora:y:1>", "cat {a <lora:x:1>|b}", (Lora(name="y"),)),
        ("cat {<lora:x:1>}", "cat { }", (Lora(name="x"),)),
        ("cat {a|b} <lora:x:1> {c|d}", "cat {a|b} {c|d}", (Lora(name="x"),)),
        ("cat {a| <lora:x:1>", "cat {a|", (Lora(name="x"),)),
    ],
)
def test_a_tag_among_alternatives_stays_where_it_is(text: str, prompt: str, loras: tuple[Lora, ...]) -> None:
    draft = Draft(prompt=prompt, loras=loras)
    assert parse_prompt(text).draft == draft
    assert with_tags_as_loras(Draft(prompt=text)) == draft
    assert parse_prompt(format_prompt(draft)).draft == draft


def test_a_tag_among_alternatives_is_said_where_it_is_only_words() -> None:
    request = request_of(Draft(prompt="cat {a|<lora:x:1>}"))
    fitted = fit(request, PLAIN)
    assert isinstance(fitted, Fit)
    assert fitted.request.prompt == request.prompt
    assert fitted.notes == ("<lora:x:1> left among alternatives {a|b}, where this engine reads it as words",)
    assert fit(request, READS) == Fit(request=request)


TAGS = st.builds(
    Lora,
    name=st.text("abc _.-", min_size=1, max_size=8).filter(
        lambda name: name == " ".join(name.split()) and "--" not in name
    ),
    weight=st.floats(-10, 10),
    details=st.sampled_from(["", "0.5", "te=0.5:unet=0.7", "1:lbw=1,0,1"]),
)


@given(st.lists(TAGS, max_size=3))
def test_any_loras_come_back_from_one_line(loras: list[Lora]) -> None:
    draft = Draft(prompt="a cat", loras=tuple(loras), steps=3)
    assert parse_prompt(format_prompt(draft)).draft == draft
