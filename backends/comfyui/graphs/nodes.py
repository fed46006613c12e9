"""The node descriptions of a server: `GET /object_info`.

Source: recorded answers of ComfyUI 0.33. A list to choose from has two shapes: `[["a", "b"], {...}]` (older nodes) and
`["COMBO", {"options": ["a", "b"]}]` (newer ones); both are read as the same.
"""

from collections.abc import Mapping
from typing import Any


class ObjectInfo:
    """The node classes of one server: their inputs, types and choices."""

    def __init__(self, classes: Mapping[str, Any]) -> None:
        self._classes = {name: entry for name, entry in classes.items() if isinstance(entry, dict)}
        self._inputs: dict[str, dict[str, Any]] = {}  # put together once: a graph asks for them at every input
        self._choices: dict[tuple[str, str], dict[str, None] | None] = {}
        self._made: set[str] | None = None

    @property
    def is_told(self) -> bool:
        """Return whether the server says what nodes it has."""
        return bool(self._classes)

    def __contains__(self, class_type: object) -> bool:
        return class_type in self._classes

    def inputs(self, class_type: str) -> dict[str, Any]:
        """Return the input specifications by name, required and optional ones."""
        if class_type not in self._classes:
            return {}
        if class_type not in self._inputs:
            self._inputs[class_type] = self._read_inputs(class_type)
        return self._inputs[class_type]

    def _read_inputs(self, class_type: str) -> dict[str, Any]:
        groups = self._told(class_type).get("input")
        if not isinstance(groups, dict):
            return {}
        found: dict[str, Any] = {}
        for group in ("required", "optional"):
            part = groups.get(group)
            found |= part if isinstance(part, dict) else {}
        return found

    def ordered_inputs(self, class_type: str, *, is_required: bool = False) -> list[tuple[str, Any]]:
        """Return the input specifications with their names in the order the editor shows them; the required only."""
        answer = self._told(class_type)
        groups, order = answer.get("input"), answer.get("input_order")
        found: dict[str, Any] = {}
        for group in ("required",) if is_required else ("required", "optional"):
            part = groups.get(group) if isinstance(groups, dict) else None
            if isinstance(part, dict):
                listed = order.get(group) if isinstance(order, dict) else None
                first = [name for name in listed if name in part] if isinstance(listed, list) else []
                found |= {name: part[name] for name in (*first, *part)}
        return list(found.items())

    def type_of(self, class_type: str, name: str) -> str:
        """Return the type of an input ("STRING", "LATENT", "COMBO" ...), empty if unknown."""
        spec = self.inputs(class_type).get(name)
        if not isinstance(spec, list) or not spec:
            return ""
        return "COMBO" if isinstance(spec[0], list) else str(spec[0])

    def settings_of(self, class_type: str, name: str) -> dict[str, Any]:
        """Return the remarks on an input: `multiline`, `image_upload`, `max` ..."""
        spec = self.inputs(class_type).get(name)
        words = spec[1] if isinstance(spec, list) and len(spec) > 1 else None
        return words if isinstance(words, dict) else {}

    def choices(self, class_type: str, name: str) -> tuple[str, ...] | None:
        """Return what may be chosen for an input, None where it is no list or the class is not there."""
        choices = self._offered(class_type, name)
        return None if choices is None else tuple(choices)

    def refuses(self, class_type: str, name: str, value: str) -> int:
        """Return of how many choices an input has this one is none; 0 where it is one, or there is no list."""
        choices = self._offered(class_type, name)
        return 0 if choices is None or value in choices else max(1, len(choices))

    def _offered(self, class_type: str, name: str) -> dict[str, None] | None:
        if name not in self.inputs(class_type):
            return None
        key = (class_type, name)
        if key not in self._choices:
            self._choices[key] = self._read_choices(class_type, name)
        return self._choices[key]

    def _read_choices(self, class_type: str, name: str) -> dict[str, None] | None:
        spec = self.inputs(class_type).get(name)
        if not isinstance(spec, list) or not spec:
            return None
        offered = spec[0] if isinstance(spec[0], list) else self.settings_of(class_type, name).get("options")
        if not isinstance(offered, list) or not all(isinstance(item, str | int | float) for item in offered):
            return None
        return dict.fromkeys(str(item) for item in offered)

    def is_upload(self, class_type: str, name: str) -> bool:
        """Return whether an input names an uploaded picture: its list is one of files, not of allowed values."""
        return any(self.settings_of(class_type, name).get(key) for key in ("image_upload", "video_upload", "upload"))

    def is_output(self, class_type: str) -> bool:
        return self._told(class_type).get("output_node") is True

    def title_of(self, class_type: str) -> str:
        """Return what the editor calls a node of this class."""
        return str(self._told(class_type).get("display_name") or class_type)

    def is_end(self, class_type: str) -> bool:
        """Return whether a class only shows or saves: nothing is linked to it."""
        return self.is_output(class_type) and not self.outputs(class_type)

    def is_core(self, class_type: str) -> bool:
        """Return whether a class is ComfyUI's own, as far as the server says; old ones do not."""
        module = self._told(class_type).get("python_module")
        return isinstance(module, str) and module.split(".")[0] in {"nodes", "comfy_extras", "comfy_api_nodes"}

    def outputs(self, class_type: str) -> tuple[tuple[str, str], ...]:
        """Return type and name of each output."""
        answer = self._told(class_type)
        kinds, names = answer.get("output"), answer.get("output_name")
        if not isinstance(kinds, list):
            return ()
        listed = names if isinstance(names, list) and len(names) == len(kinds) else kinds
        return tuple((str(kind), str(name)) for kind, name in zip(kinds, listed, strict=True))

    def is_made(self, kind: str) -> bool:
        """Return whether some node gives what has this type, or one of them: "FLOAT,INT"."""
        if self._made is None:
            listed = [entry.get("output") for entry in self._classes.values()]
            self._made = {str(item) for kinds in listed if isinstance(kinds, list) for item in kinds}
        return not self._made.isdisjoint(kind.split(","))

    def _told(self, class_type: str) -> dict[str, Any]:
        return self._classes.get(class_type, {})
