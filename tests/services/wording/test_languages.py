"""Prompts in English and in others, told apart without a model."""

import pytest

from services.wording.languages import is_english

ENGLISH = [
    "a red fox in the snow",
    "red fox, snow, masterpiece, 8k",
    "portrait of an old sailor with a café behind him",
    "Beyoncé on the stage of an opera house",
    "la la land poster for the cinema",
    "a samurai with a katana, 侍 on the banner",
    "(fox:1.3), [snow], 85mm",
    "fox",
    "",
    "🦊🦊🦊",
]
OTHERS = [
    "ein roter Fuchs im Schnee",
    "ein Bär mit Hut",
    "un renard roux dans la neige",
    "un zorro rojo en la nieve",
    "uma raposa vermelha na neve",
    "una volpe rossa nella neve",
    "een rode vos in het bos",
    "lis na śniegu",
    "рыжая лиса в снегу",
    "雪の中の赤い狐",
    "雪中的红狐狸",
    "ثعلب أحمر في الثلج",
    "眠る猫, masterpiece",
    "눈 속의 붉은 여우",
]


@pytest.mark.parametrize("prompt", ENGLISH)
def test_english_is_left_alone(prompt):
    assert is_english(prompt)


@pytest.mark.parametrize("prompt", OTHERS)
def test_other_languages_are_found(prompt):
    assert not is_english(prompt)
