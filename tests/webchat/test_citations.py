import pytest

from bot.webchat.citations import cite

BILLS = {"number": 1, "title": "Your bill", "heading": "Charges > Part months", "url": "/help/bills#p3"}
PAC = {"number": 2, "title": "PAC codes", "heading": "", "url": "/help/pac-codes#p0"}


def test_markers_become_links_and_the_sources_stand_below_in_order() -> None:
    text = cite("By the day [1]. Or by text [2][1].", [PAC, BILLS])
    body, sources = text.split("\n\n---\n\n")
    assert body == "By the day [1](/help/bills#p3). Or by text [2](/help/pac-codes#p0)[1](/help/bills#p3)."
    assert sources.splitlines() == [
        "[1 · Your bill › Charges › Part months](/help/bills#p3)",
        "[2 · PAC codes](/help/pac-codes#p0)",
    ]


def test_the_title_of_an_article_cited_twice_in_a_row_is_told_once() -> None:
    fees = {**BILLS, "number": 2, "heading": "Fees", "url": "/help/bills#p4"}
    whole = {**BILLS, "number": 3, "heading": "", "url": "/help/bills#p0"}
    assert cite("Yes [1].", [BILLS, fees, whole]).splitlines()[-3:] == [
        "[1 · Your bill › Charges › Part months](/help/bills#p3)",
        "[2 › Fees](/help/bills#p4)",
        "[3 · Your bill](/help/bills#p0)",
    ]


def test_a_reply_without_citations_has_no_line_of_sources() -> None:
    assert cite("Hello [1].", []) == "Hello [1]."


@pytest.mark.parametrize("text", ["see [3]", "[1](/elsewhere)", "`[1]`", "```\n[1]\n```", "[one]"])
def test_what_is_no_marker_of_a_citation_stays(text: str) -> None:
    assert cite(text, [BILLS]).split("\n\n---")[0] == text


@pytest.mark.parametrize(
    "url",
    [
        *("https://evil.example/", "//evil.example", "javascript:alert(1)", "/help/x)![](https://evil.example/a.png", ""),
        *("/help/", "/helpful", "/help/a b", "/help/a\n#p1", "/public/x"),
    ],
)
def test_only_our_own_help_pages_are_linked(url: str) -> None:
    assert cite("Yes [1].", [{**BILLS, "url": url}]) == "Yes [1]."


def test_a_title_cannot_break_out_of_its_link() -> None:
    text = cite("Yes [1].", [{**BILLS, "title": "a](https://evil.example) ![x", "heading": "b\n\n# c"}])
    assert text.splitlines()[-1] == r"[1 · a\](https\://evil.example) !\[x › b \# c](/help/bills#p3)"


def test_a_colon_before_a_word_is_no_directive_but_links_and_code_keep_theirs() -> None:
    assert cite("Plan:Fast at 10:30, `a:b`, https://x.example", []) == r"Plan\:Fast at 10:30, `a:b`, https://x.example"
