"""What is made of a stream's pieces: text, thoughts, tool calls, tokens, and the words for what went wrong."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ProviderDown, RateLimited, ToolCallBroken
from bot.llm.failures import classify, retry_after, safe_detail
from bot.llm.lanes import is_loopback, proxy_for
from bot.llm.received import Received, ToolPiece
from bot.llm.tokens import estimate_payload, estimate_tokens
from bot.llm.visible import Visible
from tests.llm.conftest import request


def shown(*pieces):
    visible = Visible()
    return "".join(visible.take(piece) for piece in pieces) + visible.end()


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["Hello ", "there"], "Hello there"),
        (["a\x00b\x1bc\nd\te\x9f"], "abc\nd\te"),
        (["\ud83d", "\ude00 ok"], "😀 ok"),
        (["x\ud83d\ude00"], "x😀"),
        (["<think>hm</think>Yes"], "Yes"),
        ([" <thi", "nk>a <b> c", "</th", "ink>\n\nYes"], "Yes"),
        (["<think>never ends"], ""),
        (["<th", "e end"], "<the end"),
        (["<"], "<"),
        (["Use <think> here"], "Use <think> here"),
        (["", ""], ""),
    ],
)
def test_text_is_shown_whole_and_without_thoughts(pieces, expected):
    assert shown(*pieces) == expected


@pytest.mark.parametrize("pieces", [["\ud83d x"], ["\ude00"], ["a\ud83d"], ["broken \ufffd text"]])
def test_what_is_no_unicode_text_is_refused(pieces):
    with pytest.raises(UnicodeError):
        shown(*pieces)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffd<")), st.data())
def test_wherever_a_text_is_cut_it_comes_out_as_it_was(text, data):
    units = text.encode("utf-16-le", "surrogatepass")
    cut = data.draw(st.integers(0, len(units) // 2)) * 2
    pieces = [part.decode("utf-16-le", "surrogatepass") for part in (units[:cut], units[cut:])]
    assert shown(*pieces) == text


def calls_of(*pieces):
    received = Received("x", "m", request())
    for piece in pieces:
        received.tool_piece(ToolPiece(**piece))
    received.finish("tools")
    return [(call.id, call.name, call.arguments) for call in received.close()[:-1]]


def test_pieces_of_calls_are_joined_by_their_index():
    pieces = [
        {"index": 0, "id": "a", "name": "f"},
        {"index": 1, "id": "b", "name": "g"},
        {"index": 0, "arguments": '{"x":'},
        {"index": 1, "arguments": "{}"},
        {"index": 0, "arguments": " 1}"},
    ]
    assert calls_of(*pieces) == [("a", "f", {"x": 1}), ("b", "g", {})]


def test_whole_calls_without_an_index_stay_apart():
    pieces = [{"name": "f", "arguments": '{"x": 1}'}, {"name": "g", "arguments": '{"y": 2}'}]
    assert [call[1:] for call in calls_of(*pieces)] == [("f", {"x": 1}), ("g", {"y": 2})]


def test_the_same_index_for_all_calls_does_not_merge_them():
    pieces = [
        {"index": 0, "id": "a", "name": "f", "arguments": "{}"},
        {"index": 0, "id": "b", "name": "g", "arguments": "{}"},
    ]
    assert calls_of(*pieces) == [("a", "f", {}), ("b", "g", {})]


def test_a_name_and_id_that_come_with_every_piece_are_one_call():
    pieces = [{"index": 0, "id": "a", "name": "f", "arguments": part} for part in ('{"x"', ": 1}")]
    assert calls_of(*pieces) == [("a", "f", {"x": 1})]


def test_a_call_without_a_name_is_broken():
    with pytest.raises(ToolCallBroken):
        calls_of({"index": 0, "id": "a", "arguments": "{}"})


def test_usage_that_is_no_count_is_not_taken():
    received = Received("x", "m", request())
    received.text("Hi.")
    received.usage(10, 2)
    received.usage(None, "many")
    received.usage(-1, True)
    received.finish("stop")
    last = received.close()[-1]
    assert (last.prompt_tokens, last.completion_tokens, last.estimated) == (10, 2, False)


SAMPLES = {
    "en": "Your bill went up because the twelve-month discount ended in May. You can choose a new plan in the app. " * 3,
    "de": "Ihre Rechnung ist gestiegen, weil der Rabatt nach zwölf Monaten endete. Wählen Sie in der App einen Tarif. " * 3,
    "ja": "割引が五月に終了したため、請求額が上がりました。アプリで新しいプランを選べます。" * 3,
}


@pytest.fixture(scope="module")
def tokenizer():
    """The real one, from the file that LlamaIndex ships; no network."""
    with pytest.MonkeyPatch.context() as patch:
        from importlib.util import find_spec  # noqa: PLC0415
        from pathlib import Path  # noqa: PLC0415

        folder = Path(next(iter(find_spec("llama_index.core").submodule_search_locations))) / "_static" / "tiktoken_cache"
        patch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
        yield tiktoken.get_encoding("o200k_base")


@pytest.mark.parametrize("language", SAMPLES)
def test_the_estimate_is_near_the_real_count(language, tokenizer):
    text = SAMPLES[language]
    real = len(tokenizer.encode(text, disallowed_special=()))
    assert 0.7 * real <= estimate_tokens(text) <= 1.4 * real


def test_json_has_shorter_tokens():
    assert estimate_payload('{"order": 7, "state": "open"}') > estimate_tokens('{"order": 7, "state": "open"}')


@pytest.mark.parametrize(
    ("headers", "text", "seconds"),
    [
        ({}, "", None),
        ({"retry-after": "3"}, "", 3),
        ({"retry-after-ms": "250", "retry-after": "3"}, "", 0.25),
        ({"retry-after": "-1"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "999999"}, "", 3600),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, "", 0),
        ({}, "{'retryDelay': '17.5s'}", 17.5),
        ({}, "retry_delay { seconds: 8 }", 8),
    ],
)
def test_retry_after_is_understood_in_all_its_forms(headers, text, seconds):
    assert retry_after(headers, text) == seconds


def test_retry_after_as_a_date_ahead():
    ahead = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 25 < retry_after({"retry-after": ahead}) <= 30


def test_an_ordinary_sentence_about_quota_in_a_429_is_only_a_rate_limit():
    said = "You exceeded your current quota, please check your plan and billing details."
    assert classify(429, "RESOURCE_EXHAUSTED", said) is RateLimited
    assert classify(None, "overloaded_error", "busy") is ProviderDown


def test_a_detail_is_one_line_without_secrets():
    said = safe_detail(
        "bad key hush-hush\nsk-abcdef1234 AIzaSyA1234567 Bearer abc.def-ghi ?key=hidden1 \x1b[31m", ["hush-hush"]
    )
    assert "\n" not in said
    assert "\x1b" not in said
    for secret in ("hush", "abcdef1234", "SyA1234567", "abc.def", "hidden1"):
        assert secret not in said


def test_the_environments_proxy_is_used_but_for_this_machine_and_where_it_says_so(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy:8080")
    monkeypatch.setenv("http_proxy", "http://proxy:8080")
    monkeypatch.setenv("no_proxy", "desk.internal")
    assert proxy_for("https://api.openai.com/v1") == "http://proxy:8080"
    assert proxy_for("http://desk.internal/v1") is None
    assert proxy_for("http://localhost:11434/v1") is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://localhost:1", "http://[::1]:1"])
def test_this_machine_is_never_asked_for_through_a_proxy(url):
    assert is_loopback(url)
    assert not is_loopback("https://api.openai.com/v1")
