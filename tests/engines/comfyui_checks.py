"""Checks of the stand-in on a graph before it queues it: the recorded refusals of `POST /prompt`."""

from typing import Any

RANGES = {"value_smaller_than_min": ("min", "smaller than min"), "value_bigger_than_max": ("max", "bigger than max")}


def check(graph: dict[str, Any], info: dict[str, Any], has_file: Any) -> tuple[list[str], dict[str, Any], Any]:
    """Return the output nodes that can run, the errors by node, and the error that stops everything."""
    for node, reported in graph.items():
        class_type = reported.get("class_type")
        if class_type not in info:
            title = (reported.get("_meta") or {}).get("title", f"Node ID #{node}")
            extra = {"node_id": node, "class_type": class_type, "node_title": title}
            text = f"Node '{title}' not found. The custom node may not be installed."
            return [], {}, _error("missing_node_type", text, f"Node ID '#{node}'", extra)
    outputs = [node for node, reported in graph.items() if info[reported["class_type"]].get("output_node")]
    if not outputs:
        return [], {}, _error("prompt_no_outputs", "Prompt has no outputs", "", {})
    errors: dict[str, Any] = {}
    good = []
    for output in outputs:
        before = _upstream(graph, output)
        bad = {node: found for node in before if (found := _node_errors(graph, node, info, has_file))}
        for node, found in bad.items():
            entry = errors.setdefault(
                node, {"errors": found, "dependent_outputs": [], "class_type": graph[node]["class_type"]}
            )
            entry["dependent_outputs"].append(output)
        if not bad:
            good.append(output)
    if not good:
        return [], errors, _error("prompt_outputs_failed_validation", "Prompt outputs failed validation", "", {})
    return good, errors, None


def _upstream(graph: dict[str, Any], start: str) -> list[str]:
    found = [start]
    for node in found:
        for value in graph[node].get("inputs", {}).values():
            if isinstance(value, list) and len(value) == 2 and value[0] in graph and value[0] not in found:
                found.append(value[0])
    return found


def _node_errors(graph: dict[str, Any], node: str, info: dict[str, Any], has_file: Any) -> list[dict[str, Any]]:
    reported = graph[node]
    groups = info[reported["class_type"]]["input"]
    inputs = reported.get("inputs", {})
    found = []
    for name, spec in (groups.get("required") or {}).items():
        if name not in inputs:
            found.append(_error("required_input_missing", "Required input is missing", name, {"input_name": name}))
            continue
        error = _input_error(graph, name, inputs[name], spec, has_file)
        if error:
            found.append(error)
    return found


def _input_error(graph: dict[str, Any], name: str, value: Any, spec: list[Any], has_file: Any) -> Any:
    remarks = spec[1] if len(spec) > 1 else {}
    extra = {"input_name": name, "input_config": spec, "received_value": value}
    if isinstance(value, list):
        if value[0] in graph:
            return None
        return _error(
            "exception_during_inner_validation", "Exception when validating inner node", repr(value[0]), extra
        )
    if remarks.get("image_upload"):
        if has_file(value):
            return None
        text = f"{name} - Invalid image file: {value}"
        return _error("custom_validation_failed", "Custom validation failed for node", text, {"input_name": name})
    options = remarks.get("options") if spec[0] == "COMBO" else None
    choices = spec[0] if isinstance(spec[0], list) else options
    if choices is not None and value not in choices:
        return _error("value_not_in_list", "Value not in list", f"{name}: '{value}' not in {choices}", extra)
    if spec[0] in ("INT", "FLOAT"):
        try:
            number = int(value) if spec[0] == "INT" else float(value)  # a seed of 64 bits is no float
        except ValueError as error:
            text = f"{name}, {value}, {error}"
            return _error("invalid_input_type", f"Failed to convert an input value to a {spec[0]} value", text, extra)
        if number < remarks.get("min", number):
            return _error("value_smaller_than_min", "Value smaller than min", name, extra)
        if number > remarks.get("max", number):
            return _error("value_bigger_than_max", "Value bigger than max", name, extra)
    return None


def _error(kind: str, message: str, details: str, extra: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": details, "extra_info": extra}
