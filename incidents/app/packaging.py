"""The build's one step of our own: the wheel gets the root's runbook.yaml as its default runbook.

There is one such file in the repository. Only setuptools imports this module (pyproject.toml, cmdclass).
"""

from pathlib import Path

from setuptools.command.build_py import build_py

TARGET = Path("incidents", "app", "default_runbook.yaml")


class BuildWithRunbook(build_py):  # type: ignore[misc]  # setuptools has no types
    """Builds the packages, then puts the default runbook among them."""

    def run(self) -> None:
        """Build; an editable install has no copy and reads the root's file."""
        super().run()
        if not self.editable_mode:
            self.copy_file("runbook.yaml", str(Path(self.build_lib) / TARGET))
