"""Grades of engines: how they follow from answers, and that every built-in engine answers with tests there are."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from backends import kinds
from backends.kind import EngineKind
from backends.kinds import grade_of_kind, kind_names, known_kinds, read_grades
from backends.quality import (
    FILE,
    RULES,
    Answers,
    RuleAnswer,
    Tier,
    answers_of,
    grade_of,
    missing,
    next_tier,
    read_answers,
)
from scripts import check_quality
from scripts.check_quality import grade_line, is_there, page_problems, problems
from tests.kinds import install, make_none

ROOT = Path(__file__).parent.parent.parent
BUILT_IN = check_quality.engines()
DONE = RuleAnswer(tests=("tests/test_x.py::test_y",))


def own_answers(kind: str) -> Answers:
    return read_answers((BUILT_IN[kind] / FILE).read_text(encoding="utf-8"))


def all_but(*names: str, **others: RuleAnswer) -> dict[str, RuleAnswer]:
    return {rule.name: DONE for rule in RULES if rule.name not in names} | others


@pytest.mark.parametrize(
    ("answers", "grade"),
    [
        (all_but(), "platinum"),
        (all_but("preview"), "silver"),
        (all_but("preview", "contract"), ""),
        (all_but(preview=RuleAnswer(todo="not yet")), "silver"),
        (all_but(preview=RuleAnswer(exempt="it has none")), "platinum"),
        (all_but("real-server"), "gold"),
        (all_but("removal", "real-server"), "bronze"),
        ({}, ""),
    ],
)
def test_the_grade_is_the_highest_tier_with_all_below_it(answers: dict[str, RuleAnswer], grade: str) -> None:
    assert grade_of(answers) == grade


def test_what_is_missing_is_that_of_the_next_tier() -> None:
    answers = all_but("preview", "cancel", "real-server")
    assert next_tier(answers) is Tier.GOLD
    assert missing(answers, Tier.GOLD) == ("preview", "cancel")
    assert next_tier(all_but()) is None
    assert grade_line(answers).startswith("Grade: silver. Missing for gold: `preview`, `cancel`.")
    assert grade_line(all_but()).startswith("Grade: platinum. [")


def test_a_rule_of_a_newer_easel_counts_for_nothing() -> None:
    assert grade_of(all_but(telepathy=DONE)) == "platinum"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[contract]\ntests = []", "tests of contract"),
        ('[contract]\ntests = "one"', "tests of contract"),
        ('[contract]\nexempt = " "', "exempt of contract needs words"),
        ('[contract]\ntodo = ""', "todo of contract needs words"),
        ('[contract]\ntests = ["a::b"]\nexempt = "c"', "contract needs one of"),
        ('[contract]\ndone = "yes"', "contract needs one of"),
        ("contract = 1", "contract needs one of"),
        ("[contract", "Expected"),
    ],
)
def test_an_answer_that_is_none_is_named(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_answers(text)


def test_rules_have_names_of_their_own_and_sentences() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert {rule.tier for rule in RULES} == set(Tier)
    assert all(rule.says.endswith(".") for rule in RULES)


@pytest.mark.parametrize("kind", BUILT_IN)
def test_every_engine_answers_for_every_rule_with_tests_there_are(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert problems(BUILT_IN[kind]) == []


@pytest.mark.parametrize("kind", BUILT_IN)
def test_its_page_and_the_table_show_the_grade_as_computed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert page_problems(kind, own_answers(kind)) == []


def test_the_page_of_grades_has_every_rule() -> None:
    page = (ROOT / "docs/engine-grades.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| `([\w-]+)` \| (.+) \|$", page, re.MULTILINE)
    assert rows == [(rule.tier.value, rule.name, rule.says) for rule in RULES]


def test_a_wrong_answer_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert "missing" in problems(tmp_path)[0]
    lines = [f'[{rule.name}]\nexempt = "x"' for rule in RULES[1:]]
    (tmp_path / "quality.toml").write_text("\n".join([*lines, "[telepathy]", 'tests = ["tests/test_x.py::test_y"]']))
    assert [item.partition(": ")[2] for item in problems(tmp_path)] == [
        "telepathy is no rule",
        f"{RULES[0].name} is not answered: it needs tests, exempt or todo",
        "there is no test tests/test_x.py::test_y",
    ]
    assert check_quality.main([str(tmp_path)]) == 1


def test_a_wrong_page_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_quality, "DOCS", tmp_path)
    page, table = tmp_path / "acme.md", tmp_path / "README.md"
    page.write_text(f"# acme\n\n{grade_line(all_but())}\n")
    table.write_text("| [acme](acme.md) | platinum | pictures |\n")
    assert page_problems("acme", all_but()) == []
    first, second = page_problems("acme", all_but("preview"))
    assert "Missing for gold: `preview`." in first
    assert second.endswith("must say: silver")
    assert page_problems("acme", {})[1].endswith("must say: none")


def test_a_package_without_the_file_has_no_grade(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answers_of("generation") == {}
    assert answers_of("no_such_package") == {}
    kind = EngineKind(name="acme", title="Acme", noun="an acme", make=make_none)
    install(monkeypatch, kind)
    assert grade_of_kind("acme") == ""


@pytest.mark.parametrize(
    ("test", "there"),
    [
        ("tests/backends/test_quality.py::test_a_wrong_answer_is_found", True),
        ("tests/backends/test_quality.py::test_a_wrong_answer_is_found[x-1]", True),
        ("tests/backends/test_quality.py::test_nothing", False),
        ("tests/backends/test_quality.py", False),
        ("tests/backends/test_gone.py::test_x", False),
        ("tests/backends/test_a1111_contract.py::TestForge", True),
        ("tests/backends/test_a1111_contract.py::TestForge::test_progress_rises_from_0_to_1", True),
        ("tests/backends/test_a1111_contract.py::TestForge::test_nothing", False),
    ],
)
def test_a_test_is_found_by_its_name(test: str, there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert is_there(test) is there


def test_grades_are_read_for_the_kinds_that_are_asked_for_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    kinds._grade_in.cache_clear()
    monkeypatch.setattr("backends.kinds.answers_of", lambda package: read.append(package) or {})
    read_grades(["comfyui", "a1111", "comfyui"])
    assert read == ["backends.comfyui", "backends.a1111"]
    kinds._grade_in.cache_clear()


def test_grades_are_read_once_for_every_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    read_grades(kind_names())
    monkeypatch.setattr("backends.kinds.answers_of", lambda _: pytest.fail("read again"))
    grades = {kind.name: grade_of_kind(kind.name) for kind in known_kinds()}
    assert grades == {kind: grade_of(own_answers(kind)) for kind in BUILT_IN}
    assert grade_of_kind("midjourney") == ""


def cases_named(test: str, collected: list[str]) -> list[str]:
    """Return the cases that an answer's test means: those with its parameter among theirs."""
    name, _, parameter = test.partition("[")
    wanted = parameter.removesuffix("]")
    return [
        item
        for item in collected
        if item.partition("[")[0] == name
        and (not wanted or f"-{wanted}-" in f"-{item.partition('[')[2].removesuffix(']')}-")
    ]


def test_every_named_test_is_run_with_the_parameter_that_is_named() -> None:
    """Return what an answer names is asked of pytest itself, parameters and all; none of it is run here."""
    named = {test for kind in BUILT_IN for answer in own_answers(kind).values() for test in answer.tests}
    files = sorted({test.partition("::")[0] for test in named})
    quietly = ["-q", "-p", "no:cacheprovider", "-o", "addopts=-p no:schemathesis"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", *quietly, *files],
        cwd=ROOT, env={**os.environ, "EASEL_TEST_REAL": "1"}, capture_output=True, text=True, timeout=50,
    )  # fmt: skip
    collected = [line for line in done.stdout.splitlines() if "::" in line]
    classes = {item.rpartition("::")[0] for item in collected}
    assert len(collected) > 300, done.stdout[-2000:]
    assert sorted(test for test in named if test not in classes and not cases_named(test, collected)) == []
