"""Lists of an engine's names: every list, each name once."""

from generation.capabilities import Capabilities, ModelInfo
from generation.request import Mode
from services.engines.catalog import lists_of

CAN = Capabilities(
    modes=frozenset({Mode.TXT2IMG}),
    models=(
        ModelInfo(name="a/dream.safetensors", title="dream"),
        ModelInfo(name="b/dream.safetensors", title="dream"),
        ModelInfo(name="xl.safetensors", title="xl"),
        ModelInfo(name="xl.safetensors", title="xl", is_loaded=True),
    ),
    loras=("ink",), vaes=("kl-f8.pt", "kl-f8.pt"), upscalers=("Lanczos",), embeddings=("bad-hands",),
    control_kinds=("canny",), control_models=("control_canny",), samplers=("Euler",), schedulers=None, styles=(),
)  # fmt: skip


def test_everything_an_engine_has_is_listed_and_what_it_has_not_is_left_out() -> None:
    lists = {entry.key: entry for entry in lists_of(CAN)}
    assert [*lists] == ["models", "loras", "vaes", "upscalers", "controls", "embeddings", "samplers"]
    assert lists["controls"].names == ("canny", "control_canny")
    assert lists["vaes"].names == ("kl-f8.pt",)


def test_a_model_is_listed_once_and_two_of_one_title_can_be_told_apart() -> None:
    models = lists_of(CAN)[0]
    assert models.names == ("a/dream.safetensors", "b/dream.safetensors", "xl")
    assert models.loaded == {"xl"}
