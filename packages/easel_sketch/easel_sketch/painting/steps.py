"""The exchange between a painter and its caller at each step."""

from collections.abc import Callable

MakePreview = Callable[[], bytes]
StepCallback = Callable[[int, int, MakePreview], bool]
"""Called once per step with (step, steps, make_preview); make_preview gives a JPEG. False means stop now."""


class Stopped(Exception):
    """The step callback asked to stop; there is no picture."""
