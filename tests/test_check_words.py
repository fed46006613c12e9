"""The checks of words and of texts: what they find, and what they leave alone."""

import ast

import pytest

from scripts.check_studio_texts import found_in as texts_of_studio
from scripts.check_texts import found_in, words_of
from scripts.check_words import found_in as words_in
from scripts.check_words import found_in_code, poor_names_of_studio


@pytest.mark.parametrize(
    "source",
    [
        'raise RequestRejected("There is no such job.")',
        'raise RequestRejected(f"There is no job {job_id}.")',
        'hint = "Try again later."',
        'lines.append(f"{count} steps")',
        'Button(label="Cancel")',
        'say("note: " + why if why else "nothing to say")',
    ],
)
def test_sentence_without_its_function_is_found(source: str) -> None:
    assert list(found_in(source))


@pytest.mark.parametrize(
    "source",
    [
        'raise RequestRejected(_("There is no such job."))',
        'log.warning("the engine is gone")',
        'raise ValueError("not a number")',
        'error = BackendError(_("It failed."), detail="the answer had no image")',
        'assert job, "a job has a row"',
        '"""The docstring of a module."""',
        'SQL = "SELECT id FROM jobs WHERE id = :id"',
        'PROMPT = "a red fox"  # no text: a prompt',
        'assert said == "the words of a test"',
    ],
)
def test_what_nobody_reads_is_left_alone(source: str) -> None:
    assert [words_of(node) for node in found_in(source)] == []


@pytest.mark.parametrize(
    "source",
    [
        'toast("The form is empty.");',
        'h("p", {}, `${count} pictures`);',
        'const label = isOn ? "Remove favourite" : other;',
        'h("input", { "aria-label": "Prompt" });',
        'const words = "Nothing is here yet. " + rest;',
        'toast(_("Deleted: {what}", { what: all ? "the whole gallery" : name }));',
    ],
)
def test_sentence_of_the_studio_without_its_function_is_found(source: str) -> None:
    assert len(texts_of_studio(source.encode())) == 1


@pytest.mark.parametrize(
    "source",
    [
        'toast(_("The form is empty."));',
        'h("p", {}, _n("One picture", "{n} pictures", count));',
        'h("p", { class: "muted small" });',
        'if (event.key === "Escape") close();',
        'root.querySelector(".tile-check input");',
        'import { a } from "./Some words.js";',
        '// no text: a prompt\nconst IDEAS = ["a red fox in the snow"];',
        'const IDEA = "a red fox in the snow"; // no text: a prompt',
    ],
)
def test_what_nobody_reads_in_the_studio_is_left_alone(source: str) -> None:
    assert texts_of_studio(source.encode()) == []


def test_words_of_an_f_string_stand_without_its_values() -> None:
    assert words_of(ast.parse("f'{n} of {m:.1f} came'").body[0].value) == "{} of {} came"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "source", ['def f():\n    """Say it."""', '"""What it is."""', "x = 1 if a else 2 if b else 3"]
)
def test_rule_of_python_that_is_not_kept_is_found(source: str) -> None:
    assert found_in_code(source)
    assert not found_in_code('def f():\n    """Return whether it is."""\n    return 1 if a else (2, 3 if b else 4)')


def test_word_of_the_list_is_found_with_what_is_written_instead() -> None:
    assert words_in("\n12 " + "signs") == [(2, "12 signs", "characters")]


@pytest.mark.parametrize(
    "source",
    [
        "const told = await answer.json();",
        "items.map((one) => item.name);",
        "function show({ said }) {}",
        "const right = 1;",
    ],
)
def test_variable_of_the_studio_that_is_called_what_it_is_not_is_found(source: str) -> None:
    assert len(poor_names_of_studio(source.encode())) == 1
    assert not poor_names_of_studio(b"const { left, right } = box; error.told = 1; // one")
