"""The grade of a kind of engine: which rules tests show to hold for it, in its own folder's `quality.toml`.

Nobody writes a grade down; it is computed. The habit of tiers and of a reason for each exemption is that of Home
Assistant's integration quality scale. Whether the named tests exist is for `scripts/check_quality.py`.
"""

import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib.resources import files
from typing import Any, Final

from lazy import dataclass

FILE: Final = "quality.toml"


class Tier(StrEnum):
    """From the lowest to the highest."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"
    PLATINUM = "platinum"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule that an engine of a tier must keep, in one sentence."""

    name: str
    tier: Tier
    says: str


@dataclass(frozen=True, kw_only=True)
class RuleAnswer:
    """The state of a rule for a kind, one of three: the tests that show it, why it cannot apply, or what is missing."""

    tests: tuple[str, ...] = ()
    exempt: str = ""
    todo: str = ""

    @property
    def is_met(self) -> bool:
        return bool(self.tests or self.exempt)


Answers = Mapping[str, RuleAnswer]  # by the name of the rule


def _rules(tier: Tier, **says: str) -> Iterator[Rule]:
    return (Rule(name=name.replace("_", "-"), tier=tier, says=text) for name, text in says.items())


RULES: Final = (
    *_rules(
        Tier.BRONZE,
        contract="It passes the contract that every engine keeps.",
        recognised="Another product at its address is named, with how to connect that one.",
        tested_first="A connection is tested before it is saved; one that fails saves nothing.",
        settings_by_name="A setting it does not have, or cannot read, is refused by its name with what would be right.",
        clear_errors="What goes wrong is one of our errors in a sentence without address, key or traceback.",
        samples="What its server really answers was recorded, and is read as it should be.",
        docs="It has a page that names every setting with its default, and tests answer for its sentences.",
    ),
    *_rules(
        Tier.SILVER,
        wrong_key="A key that is missing or refused is called so, with what to do next.",
        logged_once="That it is gone is logged once, and that it is back once.",
        waiting="A job waits for an engine that is gone, and is drawn once when it is back.",
        next_engine="When it fails, another engine draws the job with the same seed.",
        once="An answer that is lost delivers no picture twice, and pays for none twice.",
        reasons="The reason that it gives for a failure reaches people, in one line.",
        limits="When it asks to slow down, its own line waits for as long as it says, and no other.",
        bounded="An answer without end, or a picture that unpacks to more than one can be, is cut off.",
        removal="Removed while a job runs, it ends that job, takes no more, and is closed.",
    ),
    *_rules(
        Tier.GOLD,
        progress="The message tells how far a picture is.",
        preview="The picture is shown while it comes to be.",
        cancel="Cancel stops the work at the engine, and nobody else's.",
        restart="Easel may be killed while it draws: no job is lost, and none is drawn twice that need not be.",
        choices="Its models, samplers and other names are its own, read when it is asked.",
        same_words="Strength, masks, sizes and samplers mean what they mean on other engines; what is changed is said.",
        seed="Each picture carries the seed that made it.",
    ),
    *_rules(
        Tier.PLATINUM,
        any_answer="Any JSON in place of its answers is one of our errors: no crash, and nothing that hangs.",
        engine_restart="The engine itself may be restarted in the middle of a job: it is drawn all the same, once.",
        leaves_nothing="After drawn, failed and cancelled jobs nothing goes on in Easel.",
        real_server="A test draws on the real program, not on a stand-in.",
    ),
)


def read_answers(text: str) -> Answers:
    """Return what a `quality.toml` answers, rules that are not known left in.

    Raises:
        ValueError: it is no TOML, or not of that form.
    """
    return {name: _answer(name, entry) for name, entry in tomllib.loads(text).items()}


def answers_of(package: str) -> Answers:
    """Return the answers that lie in a package's folder; none where there is no such file. Reads it: blocks.

    Raises:
        ValueError: the file is not of that form.
    """
    try:
        text = files(package).joinpath(FILE).read_text(encoding="utf-8")
    except (FileNotFoundError, ModuleNotFoundError, NotADirectoryError):
        return {}
    return read_answers(text)


def grade_of(answers: Answers) -> str:
    """Return the highest tier whose rules, and those of all below it, are met; empty where that is not even bronze."""
    grade = ""
    for tier in Tier:
        if missing(answers, tier):
            break
        grade = tier.value
    return grade


def missing(answers: Answers, tier: Tier) -> tuple[str, ...]:
    """Return the rules of a tier that are not met."""
    rules = (rule.name for rule in RULES if rule.tier is tier)
    return tuple(name for name in rules if not answers.get(name, RuleAnswer()).is_met)


def next_tier(answers: Answers) -> Tier | None:
    """Return the tier above the grade, None above the highest."""
    return next((tier for tier in Tier if missing(answers, tier)), None)


def _answer(name: str, answer: Any) -> RuleAnswer:
    if not isinstance(answer, dict) or len(answer) != 1 or not answer.keys() <= {"tests", "exempt", "todo"}:
        raise ValueError(f"{name} needs one of tests, exempt and todo")
    ((key, value),) = answer.items()
    if key == "tests":
        if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
            raise ValueError(f"tests of {name} must be a list of tests, path::name")
        return RuleAnswer(tests=tuple(value))
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} of {name} needs words")
    return RuleAnswer(exempt=value) if key == "exempt" else RuleAnswer(todo=value)
