"""Print plans and differences in the format that was asked for."""

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from incidents.cli.output.foresight.tables import difference_table, plan_table
from incidents.cli.runner import console, say
from incidents.domain.foresight import pages
from incidents.domain.foresight.difference import Change
from incidents.domain.foresight.plan import Plan
from incidents.domain.foresight.rows import plan_rows


class Format(StrEnum):
    """Output format of a plan or a difference."""

    TABLE = "table"
    MARKDOWN = "markdown"
    MERMAID = "mermaid"
    HTML = "html"
    JSON = "json"


def print_plans(plans: Sequence[Plan], how: Format, *, everything: bool, texts: bool) -> None:
    """Print each plan. One alone is one JSON object, several are a list."""
    match how:
        case Format.TABLE:
            for plan in plans:
                say(pages.heading(plan))
                console().print(plan_table(plan_rows(plan, everything=everything), texts=texts))
        case Format.MARKDOWN:
            sys.stdout.write("\n".join(pages.plan_markdown(plan, everything=everything) for plan in plans))
        case Format.MERMAID:
            sys.stdout.write("\n".join(pages.plan_mermaid(plan, everything=everything) for plan in plans))
        case Format.HTML:
            sys.stdout.write("\n".join(pages.plan_html(plan, everything=everything) for plan in plans))
        case Format.JSON:
            _print_json([plan.model_dump(mode="json") for plan in plans])
        case _:
            assert_never(how)


def print_differences(compared: Sequence[tuple[Plan, Sequence[Change]]], how: Format) -> None:
    """Print what differs of each plan. A diagram has no form for it: it is a table then."""
    match how:
        case Format.TABLE | Format.MERMAID:
            for plan, changes in compared:
                say(pages.heading(plan))
                console().print(difference_table(changes) if changes else "No difference.")
        case Format.MARKDOWN:
            sys.stdout.write("\n".join(pages.difference_markdown(plan, changes) for plan, changes in compared))
        case Format.HTML:
            sys.stdout.write("\n".join(pages.difference_html(plan, changes) for plan, changes in compared))
        case Format.JSON:
            _print_json([_difference(plan, changes) for plan, changes in compared])
        case _:
            assert_never(how)


def _difference(plan: Plan, changes: Sequence[Change]) -> dict[str, object]:
    listed = [change.model_dump(mode="json") for change in changes]
    return {"plan": pages.heading(plan), "severity": plan.severity, "changes": listed}


def _print_json(documents: Sequence[object]) -> None:
    say(json.dumps(documents[0] if len(documents) == 1 else documents, indent=1))
