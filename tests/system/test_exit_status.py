"""A program that did its work says so by its exit status."""

import pytest

from tests.support.thoroughness import by_thoroughness
from tests.system.conftest import Stage

pytestmark = pytest.mark.timeout(150)


def test_many_runs_all_tell_the_truth_by_their_exit_status(stage: Stage) -> None:
    """temporalio's client may crash while the interpreter ends: no program of ours may let that show."""
    for _ in range(by_thoroughness(5, 30)):
        stage.run("-m", "incidents.cli.main", "list", "--json")
