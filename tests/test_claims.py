"""Every sentence of README and docs that promises something has a test, or it goes."""

import pytest

from tests.claims import PAGES, ROOT, claims_of, is_there, sentences

NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_sentence_of_a_page_is_answered_for(page):
    claims = {claim.says: claim for claim in claims_of(page)}
    there = sentences(page)
    assert [one for one in there if one not in claims] == [], "run python -m tests.claims, then name their tests"
    assert [one for one in claims if one not in there] == [], "no page says this any more: python -m tests.claims"
    assert [one.says for one in claims.values() if not one.tests and not one.no_promise] == []
    assert [one.says for one in claims.values() if one.tests and one.no_promise] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_the_tests_that_a_page_rests_on_exist(page):
    assert [test for claim in claims_of(page) for test in claim.tests if not is_there(test)] == []
