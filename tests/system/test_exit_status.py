"""A program that did its work says so by its exit status."""

import pytest

from tests.system.conftest import Stage

pytestmark = pytest.mark.timeout(150)


def test_thirty_runs_all_tell_the_truth_by_their_exit_status(stage: Stage) -> None:
    """temporalio's client may crash while the interpreter ends: no program of ours may let that show."""
    for _ in range(30):
        stage.run("-m", "incidents.cli.main", "list", "--json")
