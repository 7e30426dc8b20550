"""Each worker of pytest-xdist gets a part of the tests that begins with its long ones."""

import pytest

from tests.support.shares import in_shares

LONG = ["chaos 1", "chaos 2", "demo 1", "wheel 1", "wheel 2"]
QUICK = [f"quick {number}" for number in range(18)]


def parts(tests: list[str], workers: int) -> list[list[str]]:
    """What pytest-xdist gives to each worker at first: of what is left, an even part."""
    found = []
    for left in range(workers, 0, -1):
        size = len(tests) // left
        found.append(tests[:size])
        tests = tests[size:]
    return found


def ordered(tests: list[str], workers: int) -> list[str]:
    return in_shares(tests, workers, lambda test: test in LONG, lambda test: test.split()[0])


@pytest.mark.parametrize("workers", [2, 3, 4, 5])
def test_the_first_two_workers_begin_with_the_long_tests_and_no_module_is_divided(workers: int) -> None:
    first, second, *others = parts(ordered([*QUICK[:4], *LONG, *QUICK[4:]], workers), workers)
    assert first[:4] == ["chaos 1", "chaos 2", "wheel 1", "wheel 2"]
    assert second[0] == "demo 1"
    assert not {test for part in (first[4:], second[1:], *others) for test in part} & {*LONG}


@pytest.mark.parametrize("workers", [1, 2, 4, 30])
@pytest.mark.parametrize("tests", [LONG + QUICK, LONG, QUICK, []])
def test_each_test_is_run_once_and_the_quick_ones_keep_their_order(tests: list[str], workers: int) -> None:
    found = ordered(tests, workers)
    assert sorted(found) == sorted(tests)
    assert [test for test in found if test in QUICK] == [test for test in tests if test in QUICK]
