"""Text from outside stays text in every target (behaviour 94)."""

import csv
import html
import io
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import Environment
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import ValidationError

from incidents.domain.chat.activity_requests import PostMessage
from incidents.domain.core.text import escaping
from incidents.domain.core.text.mrkdwn import Mrkdwn, as_mrkdwn, mrkdwn, mrkdwn_lines
from incidents.domain.core.text.untrusted import printable
from incidents.domain.postmortem.figures.charts import bars
from tests.support.hostile import TEXTS

HOSTILE = "<!channel> & <@U1> <http://evil.example|click> *bold* _x_ <script>alert(1)</script> [a](b) `c` | # 1. =cmd()"
SIGNS = st.text(alphabet="<>&;!@#|`*_~[]()\\-+=.:1a \n\t'\"\r\x00\x1b\u202e\x9b{}%\U0001f525", max_size=40)
ANY = TEXTS | SIGNS | st.text(max_size=30)
MARKDOWN = MarkdownIt("commonmark").enable("table").enable("strikethrough")


def one_line(text: str) -> str:
    return " ".join(printable(text).split())


@settings(deadline=None)
@given(ANY)
@example(HOSTILE)
def test_94_slack_shows_a_text_as_it_is(text: str) -> None:
    message = as_mrkdwn(text)
    assert html.unescape(re.sub(r"&(?!(amp|lt|gt);)", "&amp;", message)) == printable(text)
    assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", message)
    assert as_mrkdwn(message) is message, "escaped once"


def test_94_only_our_own_markup_is_markup_in_slack() -> None:
    assert mrkdwn("*{}* <#{}>", "<!here> & co", "C1") == "*&lt;!here&gt; &amp; co* <#C1>"
    inner = mrkdwn("*{}*", "a & b")
    assert mrkdwn_lines([inner, "c & d"]) == "*a &amp; b*\nc &amp; d", "an ampersand is shown once"


def test_94_a_plain_string_is_no_slack_message() -> None:
    with pytest.raises(ValidationError):
        PostMessage(key="k", channel_id="C1", text="<!channel>")
    sent = PostMessage(key="k", channel_id="C1", text=as_mrkdwn("<!channel> & co"))
    read = PostMessage.model_validate_json(sent.model_dump_json())
    assert read == sent
    assert isinstance(read.text, Mrkdwn)


def shown(tokens: list[Token]) -> tuple[str, set[str]]:
    """Return the text of inline tokens, and which kinds of markup they have."""
    text, kinds = "", set()
    for token in tokens:
        if token.type in ("text", "text_special"):
            text += token.content
        elif token.type in ("softbreak", "hardbreak"):
            text += "\n"
        else:
            kinds.add(token.type)
    return text, kinds


@settings(deadline=None)
@given(ANY)
@example(HOSTILE)
@example("1) x\n- y\n# z\n===\n> q\n[a]: b\n```\nc\n    d\n***\n&lt;")
def test_94_markdown_shows_a_paragraph_as_text(text: str) -> None:
    lines = [" ".join(line.split()) for line in printable(text).split("\n")]
    paragraph = "\n".join(line for line in lines if line)
    tokens = MARKDOWN.parse(escaping.markdown_text(paragraph))
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    found = [shown(token.children or []) for token in tokens if token.type == "inline"]
    assert [kinds for _, kinds in found] in ([], [set()])
    assert "".join(said for said, _ in found) == paragraph


@settings(deadline=None)
@given(st.lists(ANY, min_size=3, max_size=3))
@example([HOSTILE, "a\\|b", "\\"])
def test_94_markdown_shows_a_table_cell_as_text(texts: list[str]) -> None:
    rows = f"| a | b | c |\n|---|---|---|\n| {' | '.join(escaping.markdown_line(text) for text in texts)} |\n"
    tokens = MARKDOWN.parse(rows)
    cells = [shown(token.children or []) for token in tokens if token.type == "inline"][3:]
    assert cells == [(one_line(text), set()) for text in texts]


def test_94_github_is_made_to_mention_nobody() -> None:
    assert escaping.github_text("@root and @org/team, #12, a/b#3, #incident-1, a@b.example") == (
        "@&#8203;root and @&#8203;org/team, #&#8203;12, a/b#&#8203;3, #incident-1, a@b.example"
    )


@settings(deadline=None)
@given(ANY)
@example("section x: y; z #1")
@example("%%{init: {}}%%")
def test_94_a_mermaid_label_has_no_syntax(text: str) -> None:
    label = escaping.mermaid_label(text)
    assert label
    assert not set(label) & set(':;#{}<>"`\n\r')
    assert "%%" not in label
    assert not re.match(r"(?i)(section|title|click|end|gantt|dateFormat)\b", label)


@settings(deadline=None)
@given(st.lists(ANY, min_size=1, max_size=4))
@example(["=cmd|'/c calc'!A1", "+1", "-1", "@x", "\t=1", " =1", "＝1"])
def test_94_a_csv_cell_is_no_formula(texts: list[str]) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerow(escaping.csv_cell(text) for text in texts)
    (row,) = csv.reader(io.StringIO(file.getvalue(), newline=""))
    for cell, text in zip(row, texts, strict=True):
        assert cell.removeprefix("'") == printable(text).removeprefix("'")
        assert not cell.lstrip().startswith(("=", "+", "-", "@"))
        assert not cell.startswith(("\t", "\r"))


@settings(deadline=None)
@given(ANY)
@example("INC-1\r\nBcc: all@example.com")
def test_94_a_mail_header_adds_no_header(text: str) -> None:
    message = EmailMessage()
    message["Subject"], message["X-After"] = escaping.mail_header(text), "1"
    read = message_from_bytes(message.as_bytes(), policy=policy.default)
    assert read.keys() == ["Subject", "X-After"]
    assert len(escaping.mail_header(text)) <= 200


def test_94_a_cut_header_ends_with_an_ellipsis() -> None:
    assert escaping.mail_header("x" * 10_000) == f"{'x' * 199}…"


@settings(deadline=None)
@given(ANY)
def test_94_a_message_id_is_one_token(text: str) -> None:
    assert re.fullmatch(r"<[\x21-\x7e]*@example\.com>", escaping.message_id(text, "example.com"))


class Seen(HTMLParser):
    """The text and the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.said, self.tags = "", [""][1:]

    def handle_data(self, data: str) -> None:
        self.said += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


def seen(page: str) -> Seen:
    parser = Seen()
    parser.feed(page)
    parser.close()
    return parser


@settings(deadline=None)
@given(ANY)
@example(HOSTILE)
@example("Search & Insights &lt; &amp;")
def test_94_statuspage_shows_a_body_as_text(text: str) -> None:
    page = seen(escaping.status_body(text, 1_000_000))
    assert (page.said, page.tags) == (printable(text), [])


def test_94_a_lone_ampersand_is_left_to_statuspage() -> None:
    assert escaping.status_body("Search & Insights <b>", 100) == "Search & Insights &lt;b&gt;"


@settings(deadline=None)
@given(ANY, st.integers(10, 30))
@example("aaaaaaaa<b>", 10)
def test_94_a_body_is_not_cut_within_an_entity(text: str, longest: int) -> None:
    body, whole = escaping.status_body(text, longest), escaping.status_body(text, 1_000_000)
    assert len(body) <= longest
    if len(whole) <= longest:
        assert body == whole
    else:
        assert body.endswith("…")
        assert whole.startswith(body.removesuffix("…"))
    page = seen(body)
    assert page.tags == []
    assert printable(text).startswith(page.said.removesuffix("…").rstrip()[:-1])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("abcdefghij", "abcdefghij"),
        ("abcdefghijk", "abcdefghi…"),
        ("abcdefgh<b>", "abcdefgh…"),
        ("ab<b>cde", "ab&lt;b…"),
    ],
)
def test_94_as_much_of_a_body_is_kept_as_fits(text: str, left: str) -> None:
    assert escaping.status_body(text, 10) == left


ADDRESSES = st.builds(lambda text: f"https://x.example/{text}", ANY)


@settings(deadline=None)
@given(ANY | ADDRESSES)
@example("https://x.example/) [click](http://evil.example")
@example("https://x.example/><script>")
@example("javascript:alert(1)")
def test_94_a_link_of_markdown_leads_where_it_says(url: str) -> None:
    tokens = MARKDOWN.parse(f"- {escaping.markdown_link(url)}")
    inner = [token for token in tokens if token.type == "inline"]
    links = [token for token in (inner[0].children or []) if token.type == "link_open"] if inner else []
    assert len(links) == url.startswith(("http://", "https://"))
    if links:
        assert str(links[0].attrs["href"]).startswith(url[:18].rstrip())
        assert [token.type for token in inner[0].children or []] == ["link_open", "text", "link_close"]
    else:
        assert "".join(shown(inner[0].children or [])[0] if inner else "") == one_line(url)


@settings(deadline=None)
@given(ANY)
@example("a) ![x](y")
def test_94_an_address_ends_where_its_parentheses_end(text: str) -> None:
    tokens = MARKDOWN.parse(f"[#1](https://x.example/{escaping.markdown_address(text)})")
    children = tokens[1].children or []
    assert [token.type for token in children] == ["link_open", "text", "link_close"]


@settings(deadline=None)
@given(ANY)
@example(HOSTILE)
def test_94_a_page_shows_a_value_as_text(text: str) -> None:
    pages = Environment(autoescape=True, finalize=escaping.html_value)
    page = seen(pages.from_string("<p>{{ value }}</p>{{ safe | safe }}").render(value=text, safe="<b>"))
    assert (page.said, page.tags) == (printable(text), ["p", "b"])


@settings(deadline=None)
@given(ANY)
@example(HOSTILE)
def test_94_a_chart_shows_a_name_as_text(text: str) -> None:
    drawn = ElementTree.fromstring(bars(text, [text], [(text, [1.0])]))
    assert not [found for found in drawn.iter() if found.tag.endswith("}script")]
