"""Caps laid together: the most generous role wins, a channel limits further, and what is offered instead fits."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generation.caps import Cap, CapKind, Limits, allowance_of, changed, limits_from_json, limits_to_json, pixels_of
from generation.errors import RequestRejected
from generation.request import HiresFix, Mode
from tests.jobs import make_request

GUILD, FANS, CREW, ART = "1", "2", "3", "9"
ANY = 0


def role(target: str, **limits: float) -> Cap:
    return Cap(kind=CapKind.ROLE, target_id=target, name=f"role {target}", limits=Limits(**limits))  # type: ignore[arg-type]


def channel(target: str, **limits: float) -> Cap:
    return Cap(kind=CapKind.CHANNEL, target_id=target, name="art", limits=Limits(**limits))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("caps", "roles", "places", "most"),
    [
        ([], [FANS], [ART], None),
        ([role(GUILD, steps=20)], [], [], 20),
        ([role(GUILD, steps=20), role(FANS, steps=50)], [], [], 20),
        ([role(GUILD, steps=20), role(FANS, steps=50), role(CREW, steps=30)], [FANS, CREW], [], 50),
        ([role(GUILD, steps=20), role(FANS, steps=ANY)], [FANS], [], None),
        ([role(GUILD, steps=20), role(FANS, batch=8)], [FANS], [], 20),
        ([role(GUILD, steps=20), channel(ART, steps=10)], [], [ART], 10),
        ([role(GUILD, steps=20), channel(ART, steps=90)], [], [ART], 20),
        ([channel(ART, steps=10)], [FANS], ["7", ART], 10),
        ([channel(ART, steps=10)], [FANS], ["7"], None),
        ([role(FANS, steps=ANY), channel(ART, steps=10)], [FANS], [ART], 10),
    ],
)
def test_the_most_generous_role_wins_and_a_channel_limits_further(caps, roles, places, most):
    assert allowance_of(GUILD, caps, roles, places).most("steps") == most


def test_a_refusal_names_value_limit_whose_and_what_is_right():
    allowance = allowance_of(GUILD, [role(GUILD, pixels=1024 * 1024, steps=30), role(FANS, batch=4)], [FANS], [])
    large = allowance.refusal(make_request(width=8000, height=8000))
    assert large is not None
    assert large.user_message == "8000×8000 is too large: everybody may draw 1,048,576 pixels a picture."
    assert (large.remedy.width, large.remedy.height) == (1024, 1024)
    assert large.hint == "1024×1024 would be right."
    long = allowance.refusal(make_request(steps=150))
    assert long.user_message == "150 steps are too many: everybody may have 30."
    assert long.remedy.steps == 30
    many = allowance.refusal(make_request(batch_size=9))
    assert many.user_message == "9 pictures are too many: the role role 2 may ask for 4 at once."
    assert many.remedy.batch_size == 4
    assert allowance.refusal(make_request(width=1024, height=1024, steps=30, batch_size=4)) is None


@given(
    width=st.integers(64, 8192), height=st.integers(64, 8192), most=st.integers(64 * 64 * 16, 4096 * 4096),
    mode=st.sampled_from([Mode.TXT2IMG, Mode.UPSCALE]), factor=st.floats(1, 8), hires=st.booleans(),
)  # fmt: skip
@example(width=64, height=6724, most=843459, mode=Mode.UPSCALE, factor=2.0, hires=False)
def test_what_is_offered_instead_is_within_the_limit_and_of_the_same_shape(width, height, most, mode, factor, hires):
    request = make_request(width=width, height=height, mode=mode)
    if mode is Mode.UPSCALE:
        request = replace(request, upscale_factor=round(factor, 1))
    elif hires:
        request = replace(request, hires=HiresFix(factor=2.0))
    over = allowance_of(GUILD, [role(GUILD, pixels=most)], [], []).refusal(request)
    assert (over is None) == (pixels_of(request) <= most)
    if over is None or over.remedy is None:
        return
    smaller = replace(
        request, **{n: v for n in ("width", "height", "upscale_factor") if (v := getattr(over.remedy, n))}
    )
    assert pixels_of(smaller) <= most
    if mode is Mode.TXT2IMG:
        assert (smaller.width <= width, smaller.height <= height) == (True, True)


def test_limits_keep_their_range_and_come_back_as_they_went_in():
    limits = changed(Limits(steps=20), {"weight": 2.0, "pixels": 0, "steps": None})
    assert limits == Limits(weight=2.0, pixels=0)
    assert limits_from_json(limits_to_json(limits) | {"of a newer version": 1}) == limits
    for wrong in ({"steps": 2000}, {"weight": 0.0}, {"daily": -1}):
        with pytest.raises(RequestRejected, match="may be"):
            changed(Limits(), wrong)
