"""`python -m sandbox`: the vendors and the product on localhost, until SIGTERM."""

from __future__ import annotations

import argparse

from sandbox.server import serve
from sandbox.state import Options


def main() -> None:
    """Parses the command line and serves."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8900, help="0 picks a free one; default 8900")
    parser.add_argument("--deploy-seconds", type=float, default=0.0, help="how long a deployment takes to run")
    parser.add_argument("--workflow-seconds", type=float, default=1.0, help="how long a GitHub workflow runs")
    args = parser.parse_args()
    serve(args.port, Options(deploy_seconds=args.deploy_seconds, workflow_seconds=args.workflow_seconds))


if __name__ == "__main__":
    main()
