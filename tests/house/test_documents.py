"""What the documents promise about the code, and what the code cites of the documents."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from incidents.app.settings import Settings
from incidents.domain.config.model import RunbookConfig
from tests.support.documents.behaviours import DOCUMENT, NONE, ROOT, generated, held_by, holders, numbers
from tests.support.incidents import PROBE_VARIABLES

WRITE = os.environ.get("WRITE_DOCS") == "1"
"""`make behaviours` sets it: the column is written then, and compared otherwise."""
DOCS = ROOT / "docs"
CITED = re.compile(r"\b[Bb]ehaviou?rs?\s+(\d+b?(?:(?:, | to | and )\d+b?)*)")
NAMED = re.compile(r"(?<![\w/.-])(?:docs/)[\w./-]+\.(?:md|py|html|svg|png)\b")
OUTSIDE = re.compile(
    r"\b(?:BEHAVIOURS|PERFORMANCE|WORDING)\b|\b(?:TEMPORAL|VENDORS|RUNBOOK|DESIGN|STYLE)(?:\.md| (?:pitfall )?[§\d])"
)
ANCHORED = re.compile(r"(?<![\w/.-])(docs/[\w/-]+\.md)#([\w-]+)")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(#[\w-]+)?\)")


def test_the_tests_that_hold_each_behavior_are_named() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    made = generated(text, held_by((ROOT / "tests").rglob("test_*.py")))
    if WRITE:
        DOCUMENT.write_text(made, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == made, "run `make behaviours`, and look at what has changed"


def test_every_behavior_has_its_line() -> None:
    listed = numbers(DOCUMENT.read_text(encoding="utf-8"))
    assert listed == [str(n) for n in range(1, 103)] + ["102b"] + [str(n) for n in range(103, 112)]


def test_no_test_claims_a_behavior_that_is_not_listed() -> None:
    assert set(held_by((ROOT / "tests").rglob("test_*.py"))) <= set(numbers(DOCUMENT.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"""54 to 56: x."""\n', {"54", "55", "56"}),
        ('"""Late, then on the grid (behaviour 37).\n"""\n', {"37"}),
        ("async def test_68_due_and_71_reminds() -> None:", {"68", "71"}),
        ("def test_67_81_82_none_counts() -> None:", {"67", "81", "82"}),
        ("def test_nothing_of_the_48_hours() -> None:", set()),
    ],
)
def test_what_claims_a_behavior(text: str, found: set[str]) -> None:
    assert {number for number, _ in holders("test_x.py", text)} == found


def test_a_behavior_without_a_test_says_so() -> None:
    row = '| <a id="b3"></a>3 | x | `old` |'
    assert generated(row, {}) == f'| <a id="b3"></a>3 | x | {NONE} |'


def sources() -> Iterator[tuple[str, str]]:
    """Each tracked file of code or configuration, with its text."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("this is not a git repository, so nothing says which files are ours")
    for name in listed.stdout.split("\0"):
        path = ROOT / name
        if path.suffix in {".py", ".toml", ".yaml", ".yml", ".sh"} and path != Path(__file__) and path.is_file():
            yield name, path.read_text(encoding="utf-8")


def test_code_cites_only_documents_that_exist() -> None:
    missing = [
        f"{name}: {cited}" for name, text in sources() for cited in NAMED.findall(text) if not (ROOT / cited).is_file()
    ]
    assert missing == []


def test_code_cites_only_anchors_that_exist() -> None:
    cited = {(name, *found) for name, text in sources() for found in ANCHORED.findall(text)}
    assert cited, "the citations are found"
    missing = [
        f"{name}: {document}#{anchor}"
        for name, document, anchor in sorted(cited)
        if f'<a id="{anchor}">' not in (ROOT / document).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_code_cites_no_document_by_a_name_that_is_not_a_path() -> None:
    assert [f"{name}: {found[0]}" for name, text in sources() for found in OUTSIDE.finditer(text)] == []


def test_code_cites_only_behaviors_that_are_listed() -> None:
    listed = set(numbers(DOCUMENT.read_text(encoding="utf-8")))
    cited = {
        (name, number)
        for name, text in sources()
        for said in CITED.findall(text)
        for number in re.findall(r"\d+b?", said)
    }
    assert len(cited) > 50, "the citations are found"
    assert [f"{name}: behaviour {number}" for name, number in sorted(cited) if number not in listed] == []


def documents() -> list[Path]:
    return [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = []
    for document in documents():
        text = re.sub(r"`[^`\n]*`", "", document.read_text(encoding="utf-8"))
        for target, _ in LINK.findall(text):
            if target and not (document.parent / target).exists():
                broken.append(f"{document.relative_to(ROOT)}: {target}")
    assert broken == []


def anchors(document: Path) -> set[str]:
    """The anchors of a document: those that it names, and those that its headings get."""
    text = document.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([\w-]+)">', text))


def test_every_test_that_a_document_names_exists() -> None:
    cited = {
        (path.name, name)
        for path in documents()
        if path.name != "extending.md"  # its recipes name files to create
        for name in re.findall(r"`(tests/[\w./-]+)`", path.read_text(encoding="utf-8"))
    }
    assert cited
    assert {one for one in cited if not (ROOT / one[1]).exists()} == set()


def test_every_anchor_between_documents_exists() -> None:
    broken = [
        f"{document.relative_to(ROOT)}: {target}{anchor}"
        for document in documents()
        for target, anchor in LINK.findall(document.read_text(encoding="utf-8"))
        if anchor and (leads_to := document.parent / target if target else document).suffix == ".md"
        if anchor[1:] not in anchors(leads_to)
    ]
    assert broken == []


RECIPES = (DOCS / "extending.md").read_text(encoding="utf-8")
NAMED_PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|yaml|md)|\.env\.example)(?:::(\w+))?`( \(new\))?")
NAMED_THING = re.compile(r"`([A-Za-z_]\w*(?:\.\w+)*)`")


def test_every_file_of_a_recipe_exists_unless_the_recipe_creates_it() -> None:
    named = NAMED_PATH.findall(RECIPES)
    created = {path for path, _, new in named if new}
    assert len(named) > 100, "the paths are found"
    assert [path for path in created if (ROOT / path).exists()] == [], "another example is needed"
    names = {path.name for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    assert [path for path, _, _ in named if not ((ROOT / path).exists() or path in created | names)] == []
    tests = [(ROOT / path, test) for path, test, _ in named if test]
    assert [test for path, test in tests if f"def {test}(" not in path.read_text(encoding="utf-8")] == []


def test_every_name_of_a_recipe_exists() -> None:
    words = {word for _, text in sources() for word in re.findall(r"\w+", text)}
    named = {name for name in NAMED_THING.findall(RECIPES) if not NAMED_PATH.fullmatch(f"`{name}`")}
    assert len(named) > 50, "the names are found"
    assert sorted(name for name in named if not words.issuperset(name.split("."))) == []
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"`make ([a-z]+)`", RECIPES)) <= set(targets)


def test_every_capability_is_in_the_architecture() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE)
    folders = {path.parent.name for path in (ROOT / "incidents/domain").glob("*/__init__.py")}
    assert sorted(listed) == sorted(folders)
    tested = {path.parent.name for path in (ROOT / "tests/domain").glob("*/__init__.py")}
    assert tested <= folders


def test_the_index_lists_every_document() -> None:
    linked = {(DOCS / target).resolve() for target, _ in LINK.findall((DOCS / "index.md").read_text(encoding="utf-8"))}
    assert [str(each) for each in DOCS.rglob("*.md") if each.name != "index.md" and each.resolve() not in linked] == []


def test_every_setting_is_documented() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", text, re.MULTILINE))
    assert {name.upper() for name in Settings.model_fields} - named == set()
    assert named - {name.upper() for name in Settings.model_fields} <= {"POSTGRES_PASSWORD", *PROBE_VARIABLES}


def test_every_section_of_the_runbook_is_documented() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))
    assert named == set(RunbookConfig.model_fields)
