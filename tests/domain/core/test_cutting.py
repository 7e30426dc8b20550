"""A text that is cut says so, and is not cut within a character as people see it, nor within one of UTF-8."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.cutting import cut, cut_bytes

ACCENT, FAMILY = "e\u0301", "\U0001f469\u200d\U0001f469\u200d\U0001f467"
FLAG, THUMB = "\U0001f1e9\U0001f1ea", "\U0001f44d\U0001f3fd"
SIGNS = st.lists(st.sampled_from(["a", " ", ACCENT, FAMILY, FLAG, THUMB, "\u0915\u093f", "\u2764\ufe0f"]), max_size=12)


@given(SIGNS, st.integers(1, 20))
def test_only_whole_characters_are_kept(signs: list[str], longest: int) -> None:
    text = "".join(signs)
    found = cut(text, longest)
    assert len(found) <= longest
    if found == text:
        assert len(text) <= longest
        return
    assert found.endswith("…")
    kept = found.removesuffix("…")
    assert kept in {"".join(signs[:number]) for number in range(len(signs))}
    assert len(kept) == max(
        len(start) for number in range(len(signs)) if len(start := "".join(signs[:number])) < longest
    ), "and as many as fit"


@given(st.text(max_size=30), st.integers(3, 40))
def test_bytes_are_cut_between_characters(text: str, longest: int) -> None:
    found = cut_bytes(text, longest)
    assert len(found.encode()) <= longest
    readable = text.encode("utf-8", "replace").decode()
    if len(readable.encode()) <= longest:
        assert found == readable
        return
    assert found.endswith("…")
    assert readable.startswith(found.removesuffix("…"))


@pytest.mark.parametrize(("longest", "left"), [(3, "…"), (6, "abc…"), (7, "abcd…"), (8, "abcdefgh")])
def test_as_many_bytes_are_kept_as_fit(longest: int, left: str) -> None:
    assert cut_bytes("abcdefgh", longest) == left


@pytest.mark.parametrize("longest", [1, 5, 40])
def test_a_run_of_marks_without_end_is_cut_all_the_same(longest: int) -> None:
    found = cut("a" + "\u0301" * 500, longest)
    assert len(found) <= longest
    assert found.endswith("…")
    assert all(unicodedata.category(sign) == "Mn" for sign in found[1:-1])
