"""The function of an app that draws, and its inputs: read from recorded pages."""

from pathlib import Path
from typing import Any

import pytest

from backends.gradio_flux.facts import App, Config, Info, normalise, read_app
from generation.request import Mode
from tests.engines.gradio_engine import DATA


def recorded(folder: str, *, info: bool = True) -> tuple[Config, Info]:
    config = Config.model_validate_json((DATA / folder / "config.json").read_text())
    return config, Info.model_validate_json((DATA / folder / "info.json").read_text()) if info else Info()


def page(*components: tuple[str, dict[str, Any]], outputs: tuple[str, ...] = ("image",), **dependency: Any) -> Config:
    """A page with one function over all components, the outputs after them."""
    kinds = [*components, *((kind, {"label": "Result"}) for kind in outputs)]
    listed = [{"id": n, "type": kind, "props": props} for n, (kind, props) in enumerate(kinds)]
    count = len(components)
    function = {"id": 0, "api_name": "draw", "inputs": list(range(count)), "outputs": list(range(count, len(kinds)))}
    return Config.model_validate(
        {"version": "5.1", "protocol": "sse_v3", "components": listed, "dependencies": [function | dependency]}
    )


def roles(app: App, mode: Mode = Mode.TXT2IMG) -> dict[str, int]:
    return dict(app.endpoints[mode].roles)


@pytest.mark.parametrize("folder", ["gradio4", "gradio5", "gradio6"])
@pytest.mark.parametrize("with_info", [True, False])
def test_flux_webui_is_understood_by_its_labels(folder: str, with_info: bool) -> None:
    app = read_app(*recorded(folder, info=with_info))
    endpoint = app.endpoints[Mode.TXT2IMG]
    assert (endpoint.name, endpoint.fn_index) == ("infer", 1)
    assert roles(app) == {
        "prompt": 0, "model": 1, "seed": 2, "cfg_scale": 3, "batch_size": 4, "randomize_seed": 5, "width": 6,
        "height": 7, "steps": 8,
    }  # fmt: skip
    assert (endpoint.picture_outputs, endpoint.seed_output) == ((0,), 1)
    assert app.endpoints.keys() == {Mode.TXT2IMG}
    assert app.prefix == ("" if folder == "gradio4" else "/gradio_api")


@pytest.mark.parametrize("folder", ["zimage-gradio4", "zimage-gradio6"])
def test_z_image_is_understood_without_code_of_its_own(folder: str) -> None:
    app = read_app(*recorded(folder))
    assert roles(app) == {"prompt": 0, "steps": 1, "cfg_scale": 2, "seed": 3, "width": 4, "height": 5}
    assert app.endpoints[Mode.TXT2IMG].field("seed").random_value == 0
    assert app.endpoints[Mode.TXT2IMG].seed_output is None


def test_function_with_one_input_picture_is_img2img_and_not_txt2img() -> None:
    app = read_app(*recorded("two-tabs-gradio6"))
    assert app.endpoints[Mode.TXT2IMG].name == "infer"
    assert app.endpoints[Mode.IMG2IMG].name == "repaint"
    assert roles(app, Mode.IMG2IMG)["init_image"] == 1
    assert roles(app, Mode.IMG2IMG)["denoising_strength"] == 2


@pytest.mark.parametrize(
    "others",
    [
        (("image", {"label": "Input Image"}), ("image", {"label": "Mask"})),
        (("image", {"label": "Control Image"}),),
        (("imageeditor", {"label": "Image"}),),
        (("image", {"label": "Image"}), ("file", {"label": "LoRA"})),
    ],
)
def test_unclear_input_pictures_are_left_alone(others: tuple[tuple[str, dict[str, Any]], ...]) -> None:
    assert read_app(page(("textbox", {"label": "Prompt"}), *others), Info()).endpoints == {}


def test_picture_that_may_be_left_out_leaves_txt2img() -> None:
    config = page(("textbox", {"label": "Prompt"}), ("image", {"label": "Image"}))
    parameters = [{"parameter_name": "p"}, {"parameter_name": "i", "parameter_has_default": True}]
    info = Info.model_validate({"named_endpoints": {"/draw": {"parameters": parameters}}})
    assert read_app(config, info).endpoints.keys() == {Mode.TXT2IMG, Mode.IMG2IMG}


def test_picture_that_is_called_optional_leaves_txt2img() -> None:
    config = page(("textbox", {"label": "Prompt"}), ("image", {"label": "Input Image (optional)"}))
    assert read_app(config, Info()).endpoints.keys() == {Mode.TXT2IMG, Mode.IMG2IMG}


def test_inputs_without_known_labels_are_known_by_their_parameter() -> None:
    config = page(("textbox", {"label": "Was?"}), ("state", {}), ("slider", {"label": "Breite"}))
    config.components[1].skip_api = True
    info = Info.model_validate(
        {"named_endpoints": {"/draw": {"parameters": [{"parameter_name": "prompt"}, {"parameter_name": "width"}]}}}
    )
    assert roles(read_app(config, info)) == {"prompt": 0, "width": 2}


def test_checkbox_and_number_of_one_label_have_their_own_meaning() -> None:
    config = page(
        ("textbox", {"label": "Prompt"}), ("number", {"label": "Random seed"}), ("checkbox", {"label": "Random seed"})
    )
    assert roles(read_app(config, Info())) == {"prompt": 0, "seed": 1, "randomize_seed": 2}


@pytest.mark.parametrize("dependency", [{"api_name": False}, {"backend_fn": False}, {"inputs": [0, 99]}])
def test_functions_that_cannot_be_called_are_passed_over(dependency: dict[str, Any]) -> None:
    assert read_app(page(("textbox", {"label": "Prompt"}), **dependency), Info()).endpoints == {}


def test_function_without_a_picture_does_not_draw() -> None:
    assert read_app(page(("textbox", {"label": "Prompt"}), outputs=("textbox",)), Info()).endpoints == {}


def test_owner_can_name_the_function() -> None:
    config, info = recorded("gradio5")
    assert read_app(config, info, "/infer").endpoints[Mode.TXT2IMG].name == "infer"
    assert read_app(config, info, "update_slider").endpoints == {}


@pytest.mark.parametrize("prefix", ["//evil.example", "/x?y=", "http://evil.example", "/a/../b c"])
def test_odd_prefix_is_not_taken(prefix: str) -> None:
    config, info = recorded("gradio5")
    config.api_prefix = prefix
    assert read_app(config, info).prefix == ""


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("Seed (0 = random):", "seed"),
        ("🎨 Number of Images", "number of images"),
        ("num_inference_steps", "num inference steps"),
        (None, ""),
        (["x"], ""),
    ],
)
def test_labels_are_compared_as_bare_words(label: object, words: str) -> None:
    assert normalise(label) == words


@pytest.mark.parametrize("info", ["-1 for random", "Use -1: random"])
def test_value_that_means_any_seed_is_read_from_the_hint(info: str) -> None:
    config = page(("textbox", {"label": "Prompt"}), ("number", {"label": "Seed", "info": info}))
    assert read_app(config, Info()).endpoints[Mode.TXT2IMG].field("seed").random_value == -1


KIND_OF = {"drawing of seeds": "checkbox", "picture to start from": "image", "model": "dropdown"}
ROLE_OF = {
    "prompt": "prompt", "negative prompt": "negative_prompt", "steps": "steps", "guidance (`--cfg`)": "cfg_scale",
    "seed": "seed", "drawing of seeds": "randomize_seed", "model": "model", "strength": "denoising_strength",
    "picture to start from": "init_image",
}  # fmt: skip


def labels_of_the_page() -> list[tuple[str, str]]:
    text = Path("docs/backends/gradio_flux.md").read_text(encoding="utf-8")
    table = text[text.index("| ours | labels") : text.index("Capitals, signs")].strip().splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return [(ours, label) for ours, labels in rows for label in labels.partition(";")[0].split(", ")]


@pytest.mark.parametrize(("ours", "label"), labels_of_the_page())
def test_every_label_of_its_page_is_understood(ours: str, label: str) -> None:
    label = label.removesuffix(" (a checkbox)")
    kind = KIND_OF.get(ours, "textbox" if "prompt" in ours else "number")
    props = {"label": label, "value": "a" if kind == "dropdown" else None, "choices": [["a", "a"]]}
    others = () if ours == "prompt" else (("textbox", {"label": "Prompt"}),)
    app = read_app(page(*others, (kind, props)), Info())
    mode = Mode.IMG2IMG if ours == "picture to start from" else Mode.TXT2IMG
    side = "height" if "height" in label.lower() else "width"
    role = side if ours == "size" else ROLE_OF[ours]
    assert roles(app, mode)[role] == len(others)


def test_of_several_functions_the_one_with_the_most_known_inputs_draws() -> None:
    config = page(("textbox", {"label": "Prompt"}), ("number", {"label": "Steps"}))
    few, many = ({**config.dependencies[0].model_dump(), "id": n, "api_name": name} for n, name in enumerate("ab"))
    few["inputs"] = [0]
    both = Config.model_validate(config.model_dump() | {"dependencies": [few, many]})
    assert read_app(both, Info()).endpoints[Mode.TXT2IMG].name == "b"
