"""Write the table of docs/fields.md from `generation.fields`.

Run `python -m scripts.write_fields`; a test holds the page to what this writes.
"""

import sys
from pathlib import Path
from typing import Final

from generation.fields import FIELDS, Field, Kind
from generation.request import Draft

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "fields.md"
BEGIN, END = "<!-- fields -->", "<!-- end of fields -->"
HEAD: Final = """\
| field | what it says | in a prompt | Discord | metadata of pictures |
|---|---|---|---|---|"""


def page(text: str) -> str:
    """Return the page with its table as it is now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = "\n".join(map(_row, FIELDS))
    return f"{before}{BEGIN}\n\n{HEAD}\n{rows}\n\n{END}{after}"


def _row(field: Field) -> str:
    is_in_api = field.name in Draft.__dataclass_fields__ or field.kind is Kind.PROMPT
    also = f" Also {', '.join(f'`--{name}`' for name in field.aliases)}." if field.aliases else ""
    cells = (
        f"`{field.name}`" if is_in_api else "",
        f"{field.sentence}{also}",
        f"`{f'{field.flag} {field.example}'.strip()}`" if field.is_option else "",
        f"`{field.slash}`" if field.slash else "",
        field.infotext,
    )
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
