"""Tests of the imports of a start, which cost less than they do by themselves."""

import gc

from utils.lean import uncollected


def test_what_is_imported_uncollected_is_never_looked_through_and_the_collector_is_on_again():
    frozen = gc.get_freeze_count()
    try:
        with uncollected():
            assert not gc.isenabled()
            made = [[]]
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
        assert not any(item is made for item in gc.get_objects())
    finally:
        gc.unfreeze()
