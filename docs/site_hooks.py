"""What mkdocs needs to publish this repository as it is: `make docs`. Only mkdocs imports it.

The documents link to files outside of docs/: README.md and its neighbours become pages of the site, other files are
published below files/, and a link to a folder becomes its text.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File
from pymdownx.slugs import slugify

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "README.md": "about.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "vulnerabilities.md",
    "CHANGELOG.md": "changelog.md",
}
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:|mailto:|#)([^)\s#]+)(#[\w-]+)?\)")
IMAGE = re.compile(r'(<img src=")docs/')


def on_config(config: Any) -> Any:
    """Give headings the anchors that they have on GitHub."""
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages of the repository's root, and each file outside of docs/ that a page links to."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for path in sorted({path for page in files.documentation_pages() for path in _linked_files(page)}):
        files.append(File.generated(config, _published(path), abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Rewrite the links that lead out of docs/."""
    source = page.file.src_uri
    folder = _folder(source)

    def rewritten(found: re.Match[str]) -> str:
        mark, text, target, anchor = found.groups()
        path = posixpath.normpath(posixpath.join(folder, target))
        if (ROOT / path).is_dir() or not (ROOT / path).exists():
            return text if (ROOT / path).is_dir() else found[0]
        place = posixpath.relpath(_published(path), posixpath.dirname(source) or ".")
        return f"{mark}[{text}]({place}{anchor or ''})"

    text = LINK.sub(rewritten, markdown)
    return IMAGE.sub(r"\1", text) if source in PAGES.values() else text


def on_page_content(html: str, *, page: Any, **_: Any) -> str:
    """Take the anchors from the page as it is: mkdocs looks in the Markdown, and `<script>` in code ends its search."""
    page.present_anchor_ids = set(re.findall(r'\bid="([^"]+)"', html))
    return html


def _folder(page: str) -> str:
    """The folder of a page's source in the repository."""
    return "" if page in PAGES.values() else posixpath.join("docs", posixpath.dirname(page))


def _linked_files(page: Any) -> set[str]:
    """The files outside of docs/ that a page links to, by their paths in the repository."""
    targets = (found[3] for found in LINK.finditer(page.content_string))
    paths = {posixpath.normpath(posixpath.join(_folder(page.src_uri), target)) for target in targets}
    return {path for path in paths if not _is_in_docs(path) and path not in PAGES and (ROOT / path).is_file()}


def _is_in_docs(path: str) -> bool:
    """Whether mkdocs publishes it by itself: it leaves out names that begin with a dot, such as an example's .env."""
    return path.startswith("docs/") and "/." not in path


def _published(path: str) -> str:
    """The place in the site of a file of the repository."""
    if _is_in_docs(path):
        return path.removeprefix("docs/")
    return PAGES.get(path, f"files/{path.replace('/.', '/').lstrip('.')}")
