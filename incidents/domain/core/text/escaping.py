"""Text from outside, written for each target so that it stays text (behaviour 94). `mrkdwn` does it for Slack,
`incidents.cli.output.plain` for the terminal.

Every function drops control and bidirectional characters, too. None may be applied twice.
"""

import re
from urllib.parse import quote

from incidents.cutting import cut
from incidents.domain.core.text.untrusted import one_line, printable

_INLINE = re.compile(r"[\\`*~|]|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:])")
"""What has a meaning within a line of Markdown. An underscore inside a word has none."""
_ENTITY = re.compile(r"&(?=#|\w+;)")
_LINE_START = re.compile(r"^(?:(#{1,6}(?=\s|$)|[-+=])|(\d{1,9})([.)])(?=\s|$))", re.MULTILINE)
"""What begins a heading, a list, a rule or an underline of a heading."""
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_REFERENCE = re.compile(r"(?<!\w)@(?=\w)|#(?=\d)")
"""A mention of a person or a team, or of an issue, at GitHub. A backslash does not stop it; a zero-width space does."""
_ZERO_WIDTH_SPACE = "&#8203;"

_NO_ADDRESS = re.compile(r"[\s<>()\[\]\\`*|\"']")
_MERMAID = re.compile(r"[^\w .,()/+-]|%%")
_MERMAID_WORDS = re.compile(
    r"(?i)(?=(?:section|title|click|call|href|end|accTitle|accDescr|dateFormat|axisFormat|tickInterval|excludes|includes"
    r"|todayMarker|inclusiveEndDates|topAxis|weekday|weekend|gantt)\b)"
)
_LONGEST_LABEL = 60
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_NO_ID = re.compile(r"[^A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]")
_MARKUP_START = re.compile(r"[<>]|&(?=#|\w+;)")
_UNFINISHED = re.compile(r"&[a-z]{0,3}(?=…$)")
_MARKUP = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


def markdown_text(text: object) -> str:
    """Return a text for a paragraph of Markdown; its lines stay lines."""
    escaped = _INLINE.sub(r"\\\g<0>", _ENTITY.sub("&amp;", _INDENT.sub("", printable(str(text)))))
    escaped = escaped.replace("<", "&lt;").replace(">", "&gt;")
    return _LINE_START.sub(lambda at: f"\\{at[1]}" if at[1] else f"{at[2]}\\{at[3]}", escaped)


def markdown_line(text: object) -> str:
    """Return a text for one line or table cell of Markdown."""
    return markdown_text(" ".join(printable(str(text)).split()))


def github_text(text: object) -> str:
    """Return a text for a paragraph at GitHub: as `markdown_text`, and it mentions no person, team or issue."""
    return _REFERENCE.sub(rf"\g<0>{_ZERO_WIDTH_SPACE}", markdown_text(text))


def github_line(text: object) -> str:
    """Return a text for one line or table cell at GitHub."""
    return github_text(" ".join(printable(str(text)).split()))


def markdown_link(url: str) -> str:
    """Return a link of Markdown that shows its address; what is no web address is shown as text.

    Characters that would end it or have a meaning are percent-encoded: they have none in an address.
    """
    return f"<{markdown_address(url)}>" if url.startswith(("https://", "http://")) else markdown_line(url)


def markdown_address(url: str) -> str:
    """Return an address for the parentheses of a link of Markdown, or for a link that shows it."""
    return _NO_ADDRESS.sub(lambda at: quote(at[0], safe=""), printable(url))


def mermaid_label(text: object) -> str:
    """Return a text for a Mermaid task name: characters and words that have a meaning there are left out."""
    label = one_line(_MERMAID.sub(" ", printable(str(text))), _LONGEST_LABEL)
    return _MERMAID_WORDS.sub("- ", label, count=1) if _MERMAID_WORDS.match(label) else label or "-"


def csv_cell(text: str) -> str:
    """Return a text for a CSV cell. A spreadsheet would evaluate one that begins like a formula, so that gets a `'`."""
    shown = printable(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) or shown[:1] in ("\t", "\n") else shown


def mail_header(text: str, longest: int = 200) -> str:
    """Return a text for a header of a mail: one line, so that it cannot add a header. `longest`: characters."""
    return one_line(text, longest)


def message_id(text: str, domain: str) -> str:
    """Return a Message-ID (RFC 5322, 3.6.4) made of a key."""
    return f"<{_NO_ID.sub('-', text).replace('/', '.')}@{domain}>"


def status_body(text: str, longest: int) -> str:
    """Return a text for the body of a Statuspage update, which is HTML there. A lone `&` is right as it is.

    `longest`: characters of the result; no entity is cut in two.
    """
    body = _MARKUP_START.sub(lambda at: _MARKUP[at[0]], printable(text))
    return body if len(body) <= longest else _UNFINISHED.sub("", cut(body, longest))


def status_title(text: str, longest: int) -> str:
    """Return a text for the title of a Statuspage incident, which is plain text there."""
    return one_line(text, longest)


def html_value(value: object) -> object:
    """Return a value for an autoescaping template (Jinja's `finalize`): texts without control characters."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
