"""The verdicts of rehearsals as JUnit XML, which every CI reads."""

from collections.abc import Sequence
from xml.etree import ElementTree

from incidents.domain.core.text.untrusted import printable
from incidents.domain.foresight.rehearsal.effects import Rehearsed
from incidents.domain.foresight.rehearsal.expectations import Verdict


def junit(results: Sequence[tuple[Rehearsed, Sequence[Verdict]]]) -> str:
    """Return one test suite for each scenario, with a test case for each expectation."""
    root = ElementTree.Element("testsuites", name="incident rehearse")
    for rehearsed, verdicts in results:
        failed = [verdict for verdict in verdicts if not verdict.met]
        counts = {"tests": str(len(verdicts)), "failures": str(len(failed)), "errors": "0"}
        suite = ElementTree.SubElement(root, "testsuite", {"name": printable(rehearsed.name)} | counts)
        for verdict in verdicts:
            expected = verdict.expectation
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=printable(rehearsed.name),
                name=printable(expected.summary),
                file=printable(rehearsed.name),
                line=str(expected.line),
            )
            if not verdict.met:
                failure = ElementTree.SubElement(case, "failure", message=printable(verdict.why))
                failure.text = printable(f"{rehearsed.name}:{expected.line}: {expected.summary}: {verdict.why}")
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'
