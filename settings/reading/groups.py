"""A group of settings out of the variables that are set."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from lazy import pattern
from settings.fields import Group, allowed_of, declared, variable_of
from settings.reading.env_file import MASKED
from settings.reading.problems import Problem

AnyGroup = TypeVar("AnyGroup", bound=Group)

TOKEN_PATH: Final = pattern(r"^((?:\w+:/+)?[^/\s]+/).+$")


def read_group(
    group: type[AnyGroup],
    variables: Mapping[str, str],
    problems: list[Problem],
    *,
    prefix: str = "",
    more: Mapping[str, Any] | None = None,
) -> AnyGroup | None:
    """Make a group; what cannot be is added to the problems.

    Args:
        group: which.
        variables: all that are set, without blanks at their ends.
        problems: of everything that was read before.
        prefix: what its variables begin with.
        more: values that no variable holds.
    """
    fields = {name: field for name, field in group.model_fields.items() if declared(field)}
    names = {name: _set_by(prefix, name, field, variables) for name, field in fields.items()}
    values = {name: variables[variable] for name, variable in names.items() if variables.get(variable)}
    try:
        return group.model_validate({**values, **(more or {})})
    except ValidationError as error:
        for name in dict.fromkeys(str(found["loc"][0]) for found in error.errors()):
            field = group.model_fields[name]
            shown = _shown(field, values.get(name, ""))
            problem = Problem(name=names[name], value=shown, allowed=allowed_of(field))
            if problem.name not in {known.name for known in problems}:  # one variable may serve two settings
                problems.append(problem)
        return None


def variables_of(group: type[Group]) -> list[str]:
    """Return every variable that a group reads."""
    fields = ((name, field) for name, field in group.model_fields.items() if declared(field))
    return [variable for name, field in fields for variable in (variable_of(name, field), *_others(field))]


def _set_by(prefix: str, name: str, field: FieldInfo, variables: Mapping[str, str]) -> str:
    """Return the variable that a setting is read from."""
    own = prefix + variable_of(name, field)
    return next((variable for variable in (own, *_others(field)) if variables.get(variable)), own)


def _others(field: FieldInfo) -> tuple[str, ...]:
    return tuple(declared(field)["otherwise"])


def _shown(field: FieldInfo, value: str) -> str:
    if field.annotation is SecretStr:
        return MASKED
    return TOKEN_PATH.sub(rf"\1{MASKED}", value) if declared(field)["has_token"] else value
