"""The site of the documents, as far as it can be checked without mkdocs; `make docs` builds it with strict links."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.support.documents.behaviours import ROOT

DOCS = ROOT / "docs"
SITE: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
HOOKS = (DOCS / "site_hooks.py").read_text(encoding="utf-8")
FROM_THE_ROOT = dict(re.findall(r'^    "([A-Z]+\.md)": "([a-z]+\.md)",$', HOOKS, re.MULTILINE))


def pages(entries: Any) -> Iterator[str]:
    """The pages of a navigation, in order."""
    match entries:
        case str():
            yield entries
        case list():
            for each in entries:
                yield from pages(each)
        case dict():
            for each in entries.values():
                yield from pages(each)


def test_the_navigation_lists_every_page_once() -> None:
    listed = list(pages(SITE["nav"]))
    written = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert sorted(listed) == sorted(written | set(FROM_THE_ROOT.values()))


def test_every_document_of_the_root_is_a_page() -> None:
    assert set(FROM_THE_ROOT) == {path.name for path in ROOT.glob("*.md")}
    assert not any((DOCS / page).exists() for page in FROM_THE_ROOT.values())


def test_the_build_fails_for_a_broken_link_and_an_anchor_that_is_missing() -> None:
    assert {fault for kind in SITE["validation"].values() for fault in kind.values()} == {"warn"}
    assert "anchors" in SITE["validation"]["links"]
    [build] = re.findall(r"mkdocs build.*", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert build == "mkdocs build --strict", "with --quiet, mkdocs counts no warning, and --strict fails for nothing"


def test_the_site_loads_nothing_from_elsewhere() -> None:
    assert SITE["theme"]["font"] is False
    assert SITE["plugins"] == ["search"]
    assert not {"extra_css", "extra_javascript", "repo_url"} & set(SITE)
    embedded = re.compile(r"!\[[^\]]*\]\(https?:|<(?:img|script|iframe)[^>]*src=\"https?:")
    assert [path.name for path in (*DOCS.rglob("*.md"), *ROOT.glob("*.md")) if embedded.search(prose(path))] == []


def prose(path: Path) -> str:
    """A document without its code."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
