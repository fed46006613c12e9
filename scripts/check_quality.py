"""Hold every engine's `quality.toml` to the rules of `backends/quality.py`, and its page to the grade.

Each rule must be answered, each named test exist. `python scripts/check_quality.py FOLDER ...` checks the packages of
other engines instead, their tests being looked for from the folder it is run in.
"""

import ast
import re
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from backends.kinds import ENTRY_POINT_GROUP
from backends.packages import PACKAGES, entry_points_in
from backends.quality import FILE, RULES, Answers, grade_of, missing, next_tier, read_answers

BACKENDS = PACKAGES.parent / "backends"
DOCS = Path("docs/backends")
NO_GRADE = "none"


def engines() -> dict[str, Path]:
    """Return the engines that come with Easel, each with its folder."""
    folders = {path.parent.name: path.parent for path in sorted(BACKENDS.glob("*/kind.py"))}
    for point in entry_points_in(PACKAGES, ENTRY_POINT_GROUP):
        folders[point.name] = Path(str(files(point.module.rpartition(".")[0])))
    return folders


def problems(folder: Path) -> list[str]:
    """Name what is wrong with one engine's answers."""
    path = folder / FILE
    if not path.is_file():
        return [f"{path}: missing; it answers for each rule of backends/quality.py"]
    try:
        answers = read_answers(path.read_text(encoding="utf-8"))
    except ValueError as error:
        return [f"{path}: {error}"]
    known = [rule.name for rule in RULES]
    unknown = [f"{path}: {name} is no rule" for name in answers if name not in known]
    silent = [
        f"{path}: {name} is not answered: it needs tests, exempt or todo" for name in known if name not in answers
    ]
    named = dict.fromkeys(test for answer in answers.values() for test in answer.tests)
    return [*unknown, *silent, *(f"{path}: there is no test {test}" for test in named if not is_there(test))]


def is_there(test: str) -> bool:
    """Return whether `path::name`, `path::Class` or `path::Class::name` exists, whatever parameters stand behind it."""
    file, *names = test.partition("[")[0].split("::")
    path = Path(file)
    if not names or not path.is_file():
        return False
    if len(names) == 1:
        return any(getattr(node, "name", "") == names[0] for node in tree(path).body)
    return names[1] in methods(path, names[0])


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def methods(path: Path, name: str) -> set[str]:
    """Return the names of a class's methods, those of its bases here and in imported modules too."""
    for node in tree(path).body if path.is_file() else ():
        if isinstance(node, ast.ClassDef) and node.name == name:
            found = {item.name for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}
            bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
            return found.union(*(methods(path, base) for base in bases))
        if isinstance(node, ast.ImportFrom) and node.module and name in {alias.name for alias in node.names}:
            return methods(Path(*node.module.split(".")).with_suffix(".py"), name)
    return set()


def grade_line(answers: Answers) -> str:
    """Return what an engine's page says of its grade."""
    line = f"Grade: {grade_of(answers) or NO_GRADE}."
    if tier := next_tier(answers):
        line += f" Missing for {tier.value}: {', '.join(f'`{name}`' for name in missing(answers, tier))}."
    return f"{line} [What that means](../engine-grades.md)."


def page_problems(kind: str, answers: Answers) -> list[str]:
    """Compare a page and its row in the table with the grade."""
    page, line = DOCS / f"{kind}.md", grade_line(answers)
    found = [] if line in page.read_text(encoding="utf-8").splitlines()[:4] else [f"{page}: must begin with: {line}"]
    table = DOCS / "README.md"
    row = re.search(rf"^\| \[{kind}\]\({kind}\.md\) \| (\S+) \|", table.read_text(encoding="utf-8"), re.MULTILINE)
    grade = grade_of(answers) or NO_GRADE
    return found if row and row[1] == grade else [*found, f"{table}: the row of {kind} must say: {grade}"]


def main(folders: list[str]) -> int:
    """Check the given folders, or everything that comes with Easel, and print what is wrong."""
    found = [line for folder in folders for line in problems(Path(folder))]
    for kind, folder in engines().items() if not folders else ():
        wrong = problems(folder)
        found += wrong or page_problems(kind, read_answers((folder / FILE).read_text(encoding="utf-8")))
    print("\n".join(found) or "quality: fine")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
