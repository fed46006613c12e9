"""Nodes whose widgets code in the browser makes, in ways that are known."""

from typing import Any

from backends.comfyui.editor.saved import SavedNode


def own_values(node: SavedNode) -> dict[str, Any] | None:
    """Return the values of such a node by name, None if it is none."""
    if node.type == "CustomCombo" and isinstance(node.values, list) and len(node.values) > 1:
        choice, number, *listed = node.values
        if isinstance(number, int) and all(isinstance(item, str) for item in (choice, *listed)):
            return _custom_combo(choice, listed)
    if node.type == "Power Lora Loader (rgthree)" and isinstance(node.values, list):
        return _power_loras(node.values)
    return None


def _custom_combo(choice: str, listed: list[str]) -> dict[str, Any]:
    """Return the choice, its number and the texts to choose from, as many as were written and an empty one."""
    while listed and not listed[-1]:
        listed.pop()
    listed.append("")
    options = {f"option{number}": text for number, text in enumerate(listed, 1)}
    return {"choice": choice, "index": listed.index(choice) if choice in listed else -1, **options}


def _power_loras(values: list[Any]) -> dict[str, Any]:
    """Return the LoRAs of rgthree's loader, each a value with its file and its strength in it."""
    loras = [value for value in values if isinstance(value, dict) and "lora" in value]
    return {f"lora_{number}": value for number, value in enumerate(loras, 1)}
