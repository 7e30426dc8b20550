"""Production and the embedded server have the same dynamic configuration."""

from pathlib import Path

import yaml

from sandbox.temporal_server import DYNAMIC_CONFIG


def test_both_servers_are_told_the_same() -> None:
    told = yaml.safe_load(Path("deploy/dynamicconfig.yaml").read_text(encoding="utf-8"))
    production = {f"{name}={rule['value']}" for name, rules in told.items() for rule in rules}
    assert production == set(DYNAMIC_CONFIG)
