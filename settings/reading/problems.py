"""Problems with settings, in words that hold no password."""

from lazy import dataclass
from settings.engines import ENGINE_ADDRESS
from settings.reading.env_file import MASKED, mask_address
from texts.text import _


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A value that cannot be; a secret one is masked, and so is what may be a password in an address."""

    name: str
    value: str
    allowed: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", mask_address(self.value))

    def __str__(self) -> str:
        given = f"{self.name}={self.value}" if self.value else _("{name} is missing", name=self.name)
        return _(
            "{given}: must be {allowed}{without_password}",
            given=given,
            allowed=self.allowed,
            without_password=self._without_password(),
        )

    def _without_password(self) -> str:
        if f"://{MASKED}@" not in self.value:
            return ""
        engine = self.name.removesuffix("_URL")
        own = _(" (those go into {engine}_KEY)", engine=engine) if self.allowed == ENGINE_ADDRESS else ""
        return _(", without user:password@ in it{own}", own=own)


class SettingsError(Exception):
    """Settings that cannot be used; the text names each variable, its value and what would be right."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))
