"""Ask pip-audit for known vulnerabilities of the pinned versions: exit status 0 none, 1 some, 2 not known.

python -m deploy.audit_pins
"""

import subprocess  # nosec B404
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_FOUND = "known vulnerabilit"
_LONGEST = 300


def verdict(status: int, said: str) -> tuple[int, str]:
    """Return our exit status and what to print, from pip-audit's status and output.

    Its own status is the same for a vulnerability and for data that it could not read.
    """
    if _FOUND in said:
        return (1, said) if status else (0, "No known vulnerabilities in requirements.txt")
    last = (said.strip().splitlines() or ["no output"])[-1][:_LONGEST]
    return (
        2,
        f"Not audited: pip-audit could not read its data ({last}). The pins are unknown; try again online.",
    )


def main() -> int:
    """Run pip-audit on what the image installs; print the verdict and return the exit status."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--timeout", "15"]
    command += ["--progress-spinner", "off", "--requirement", str(ROOT / "requirements.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # nosec B603
    status, said = verdict(done.returncode, done.stdout + done.stderr)
    print(said, file=sys.stderr if status else sys.stdout)
    return status


if __name__ == "__main__":
    sys.exit(main())
