"""Every sentence of README and docs that promises something has a test, or it goes."""

import json
import re

import pytest

from bench import pages
from bench.goals import GOALS
from tests.claims import PAGES, ROOT, claims_of, is_there, sentences

NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_sentence_of_a_page_is_answered_for(page):
    claims = {claim.says: claim for claim in claims_of(page)}
    there = sentences(page)
    assert [item for item in there if item not in claims] == [], "run python -m tests.claims, then name their tests"
    assert [item for item in claims if item not in there] == [], "no page says this any more: python -m tests.claims"
    assert [item.says for item in claims.values() if not item.tests and not item.no_promise] == []
    assert [item.says for item in claims.values() if item.tests and item.no_promise] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_the_tests_that_a_page_rests_on_exist(page):
    assert [test for claim in claims_of(page) for test in claim.tests if not is_there(test)] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_the_links_of_a_page_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?://)([^)\s]+)\)", page.read_text(encoding="utf-8"))
    for link in links:
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            heads = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}, link


def test_the_tables_of_speed_are_those_of_the_last_bench():
    report, rows = pages.read()
    assert pages.in_readme(rows) in (ROOT / "README.md").read_text(encoding="utf-8"), "run: python -m bench.pages"
    assert pages.page(report, rows) == (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    assert len(rows) == len(GOALS), "they are those of one run"


def test_the_figures_of_the_readme_are_those_of_the_last_bench():
    reported = json.loads((ROOT / "bench" / "latest.json").read_text(encoding="utf-8"))["figures"]
    value = {f"{item['group']}: {item['name']}": item["value"] for item in reported}
    beside = {item["name"]: item["beside"] for item in reported}
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"adds {value['engines: overhead over a1111'] / 1000:.2f} s to a picture" in text
    assert f"busy for {int(value['discord: a 1.0 s engine is busy'])} % of the time" in text
    newcomers = "last of nine newcomers served as number"
    line = re.search(r"one user had (\d+) jobs in line", beside[newcomers])
    assert line is not None
    assert (
        f"{line[1]} jobs of one person, nine newcomers were all served among the first {value['queue: ' + newcomers]}"
        in text
    )
