"""Dataclasses and patterns that are made at their first use; for the types they are those of `dataclasses` and `re`.

A start reads most modules and makes instances of one class in six; what Python generates for a class takes half a
millisecond. There is no `InitVar` here. A pattern is used by its own methods: the functions of `re` do not take it.
"""

import dataclasses
import re
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

# what is looked for at a class of which there is no instance yet
_LOOKED_FOR: Final = ("__init__", "__dataclass_fields__", "__dataclass_params__")
_making: Final = RLock()


class _Made:
    def __repr__(self) -> str:
        return "<factory>"


_MADE: Final = _Made()  # the default of what a factory makes


class _Making:
    """Makes a class the dataclass it was declared to be. Until it is whole, who wants an instance waits here."""

    def __init__(self, cls: type, options: dict[str, Any]) -> None:
        self._cls, self._options = cls, options
        self._given = {name: value for name, value in vars(cls).items() if isinstance(value, dataclasses.Field)}
        self._is_done = False
        for name, value in self._given.items():  # as it will be afterwards
            if value.default is dataclasses.MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, value.default)
        for name in _LOOKED_FOR:
            setattr(cls, name, _Later(name, self))

    def finish(self) -> type:
        with _making:
            if not self._is_done:
                self._make()
                self._is_done = True
        return self._cls

    def _make(self) -> None:
        cls, options, doc = self._cls, self._options, self._cls.__doc__
        for name, value in self._given.items():
            setattr(cls, name, value)
        cls.__doc__ = doc or cls.__name__  # else one is made of the signature, which is not there yet
        dataclasses.dataclass(**options, init=False)(cls)
        cls.__doc__ = doc
        # In one step, as the last: between one `__init__` and the next, another thread would find that of `object`.
        type.__setattr__(cls, "__init__", _init(cls, is_frozen=options.get("frozen", False)))


def _init(cls: Any, *, is_frozen: bool) -> Any:
    """Return the `__init__` that a dataclass would have."""
    scope: dict[str, Any] = {"_put_": object.__setattr__, "_made_": _MADE}
    inline: list[str] = ["self"]
    named: list[str] = []
    body: list[str] = []
    fields = dataclasses.fields(cls)
    for field in fields:
        name, value, default = field.name, field.name, ""
        if field.default_factory is not dataclasses.MISSING:
            scope[f"_make_{name}_"] = field.default_factory
            value, default = f"_make_{name}_()", "=_made_"
            if field.init:
                value = f"{value} if {name} is _made_ else {name}"  # no text: code
        elif not field.init:
            continue
        elif field.default is not dataclasses.MISSING:
            scope[f"_default_{name}_"] = field.default
            default = f"=_default_{name}_"
        if field.init:
            (named if field.kw_only else inline).append(name + default)
        body.append(f"_put_(self, {name!r}, {value})" if is_frozen else f"self.{name} = {value}")  # no text: code
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    arguments = ", ".join([*inline, *(["*", *named] if named else [])])
    exec(f"def __init__({arguments}):\n " + "\n ".join(body or ["pass"]), scope)  # noqa: S102  # as `dataclasses` does
    init = scope["__init__"]
    init.__qualname__, init.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    init.__annotations__ = {field.name: field.type for field in fields if field.init} | {"return": None}
    return init


class _Later:
    """An attribute of such a class until it is made."""

    def __init__(self, name: str, making: _Making) -> None:
        self._name, self._making = name, making

    def __get__(self, instance: object, owner: type) -> Any:
        value = vars(self._making.finish())[self._name]
        return value.__get__(instance, owner) if self._name == "__init__" else value


def _dataclass(cls: type | None = None, /, **options: Any) -> Any:
    def declare(cls: type) -> type:
        if options.get("slots") or not options.get("init", True) or "__init__" in vars(cls):
            return dataclasses.dataclass(**options)(cls)  # is another class, or makes its instances in its own way
        _Making(cls, options)
        return cls

    return declare(cls) if cls else declare


class _Pattern:
    """A pattern until it is used; each of its methods is looked up once."""

    def __init__(self, text: str | bytes, flags: int = 0) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        compiled = self._compiled = vars(self).get("_compiled") or re.compile(self._text, self._flags)
        value = self.__dict__[name] = getattr(compiled, name)
        return value


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass

    pattern = re.compile
else:
    dataclass, pattern = _dataclass, _Pattern
