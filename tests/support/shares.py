"""The order of the tests, for pytest-xdist's `--dist worksteal`.

It gives each worker the next part of the order, all parts of one size, and later takes from the ends of the longest.
What stands at the head of a part is run where it stands: all long tests at the head of the first one would be run one
after the other, and the last of them waited for by idle processors.
"""

from collections.abc import Callable, Sequence
from itertools import groupby, islice
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 2
"""Workers that begin with long tests. Each of these starts several processes, which keep to real time."""


def in_shares(
    tests: Sequence[T], workers: int, is_long: Callable[[T], bool], module_of: Callable[[T], object]
) -> list[T]:
    """Return all tests, so that the parts of the first two workers begin with the long ones, module by module."""
    heads: list[list[T]] = [[] for _ in range(workers)]
    modules = groupby((test for test in tests if is_long(test)), module_of)
    for number, (_, module) in enumerate(modules):
        heads[number % min(AT_ONCE, workers)] += module
    others = iter([test for test in tests if not is_long(test)])
    ordered: list[T] = []
    for number, head in enumerate(heads):
        size = (len(tests) + number) // workers
        ordered += head + list(islice(others, max(0, size - len(head))))
    return [*ordered, *others]
