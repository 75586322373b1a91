"""From settings, scripts and price tables to what answers: chosen by settings alone, loaded only when chosen."""

import json
import subprocess
import sys

import pytest

from bot.errors import ProviderFailed, RateLimited, SettingsInvalid
from bot.llm.prices import read_prices
from bot.llm.scripted import ScriptedLLM, read_scripts, say
from bot.llm.stream import Finished, Line, Role, Text, ToolRequest
from bot.llm.vendors import build_llm, provider_names, turn_limits
from bot.settings import ROOT, Settings
from tests.llm.conftest import EVERY_VENDOR, events_of, limits, request, settings_for, text_of
from tests.llm.vendor_server import HELLO, Plan, VendorServer

EXTRACTIVE = ScriptedLLM([say("The article says.")], name="extractive")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def settings(**more):
    return Settings(_env_file=None, **more)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, ("extractive",)),
        ({"openai_api_key": "k"}, ("openai", "extractive")),
        ({"openai_api_key": "k", "gemini_api_key": "k"}, ("openai", "gemini", "extractive")),
        ({"gemini_api_key": "k"}, ("gemini", "extractive")),
        ({"openai_base_url": "http://localhost:11434/v1"}, ("openai", "extractive")),
        ({"compatible_base_url": "http://localhost/v1", "compatible_model": "m"}, ("compatible", "extractive")),
        ({"openai_api_key": "k", "llm_providers": "extractive"}, ("extractive",)),
        ({"openai_api_key": "k", "gemini_api_key": "k", "llm_providers": "gemini,openai"}, ("gemini", "openai")),
    ],
)
def test_who_is_asked_follows_from_the_settings(given, names):
    assert provider_names(settings(**given)) == names


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_a_vendor_answers_by_settings_alone_and_the_articles_when_it_fails(vendor):
    name, _, backend = vendor.partition(" by ")
    async with VendorServer(Plan(), Plan(error="model")) as server:
        chosen = settings_for(server.url, gemini_backend=backend or "google-genai", llm_providers=f"{name},extractive")
        llm = build_llm(chosen, EXTRACTIVE)
        assert text_of(await events_of(llm)) == "".join(HELLO)
        assert text_of(await events_of(llm)) == "The article says."
        assert [status.provider for status in llm.status()] == [name, "extractive"]
        assert llm.status()[0].last_error == "model or path unknown"
        await llm.close()


@pytest.mark.parametrize("base", ["{}", "{}/v1beta", "{}/v1beta/openai"])
async def test_geminis_compatible_address_is_found_however_much_of_it_was_given(base):
    async with VendorServer() as server:
        chosen = settings(
            gemini_base_url=base.format(server.url), gemini_api_key="k", gemini_backend="openai", llm_providers="gemini"
        )
        llm = build_llm(chosen, EXTRACTIVE)
        await events_of(llm)
        await llm.close()
    assert server.asked[0].path == "/v1beta/openai/chat/completions"


def test_an_api_version_that_the_retired_library_does_not_speak_is_refused_at_start():
    chosen = settings(gemini_api_key="k", gemini_backend="google-generativeai", gemini_api_version="v1")
    with pytest.raises(SettingsInvalid, match="GEMINI_API_VERSION"):
        build_llm(chosen, EXTRACTIVE)


def test_without_a_key_no_vendors_library_is_loaded():
    code = """
import sys
from bot.llm.scripted import ScriptedLLM
from bot.llm.vendors import build_llm
from bot.settings import Settings
build_llm(Settings(_env_file=None, llm_providers="extractive"), ScriptedLLM([[]]))
print([name for name in ("openai", "google.genai", "google.generativeai", "httpx", "tiktoken") if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


async def test_the_limits_of_a_turn_come_from_the_settings():
    found = turn_limits(settings(llm_first_token_seconds=1.5), 99.0)
    assert (found.first_token_seconds, found.deadline) == (1.5, 99.0)


def test_the_order_of_a_failover_is_hidden_from_nobody():
    llm = build_llm(settings(), EXTRACTIVE)
    assert llm.name == "failover"
    assert [status.state for status in llm.status()] == ["closed"]


SCRIPT = """
- - say: Your bill rose.
  - tool: {name: lookup, arguments: {month: May}}
- - {text: Your b}
  - {fail: rate_limited, detail: slow down, retry_after: 3}
- - {text: half}
  - cut: true
- - {wait: 0.0}
  - {say: One two., pause_seconds: 0.001}
  - finish: length
"""


@pytest.mark.parametrize("form", ["yaml", "json"])
async def test_a_script_is_replayed_in_order_and_begins_again(tmp_path, form):
    import yaml  # noqa: PLC0415

    path = tmp_path / f"script.{form}"
    path.write_text(SCRIPT if form == "yaml" else json.dumps(yaml.safe_load(SCRIPT)))
    llm = ScriptedLLM(read_scripts(path))
    first = await events_of(llm)
    assert text_of(first) == "Your bill rose."
    assert first[-2:] == [
        ToolRequest(id="call_lookup", name="lookup", arguments={"month": "May"}, provider="scripted"),
        Finished(reason="tools", provider="scripted", model="script"),
    ]
    with pytest.raises(RateLimited) as raised:
        await events_of(llm)
    assert raised.value.retry_after == 3
    assert await events_of(llm) == [Text(text="half")]
    assert (await events_of(llm))[-1].reason == "length"
    assert text_of(await events_of(llm)) == "Your bill rose."
    assert len(llm.requests) == 5


TWO_ROUNDS = """
- - when: my bill
  - tool: {name: lookup}
- - when: tool="lookup"
  - say: "I looked it up: {result}"
- - say: Something else.
"""


async def test_a_script_that_says_what_it_is_for_answers_that_and_tells_what_a_tool_told(tmp_path):
    (tmp_path / "script.yaml").write_text(TWO_ROUNDS)
    llm = ScriptedLLM(read_scripts(tmp_path / "script.yaml"))

    async def answer(role: Role, text: str) -> str:
        return text_of(await events_of(llm, request(Line(role=role, text=text))))

    assert await answer("customer", "Hello") == "Something else."
    assert isinstance((await events_of(llm, request(Line(role="customer", text="Why is MY BILL so high?"))))[0], ToolRequest)
    told = '<tool_result tool="lookup" ruling="done">\nIt is £58.\nIt was £24.\n</tool_result>'
    assert await answer("tool", told) == "I looked it up: It is £58.\nIt was £24."
    assert await answer("customer", "Bye") == "Something else."


async def test_a_script_keeps_the_limits_like_a_real_provider():
    with pytest.raises(ProviderFailed) as raised:
        await events_of(ScriptedLLM([[5.0, *say("late")]]), request(), limits(first=0.05))
    assert str(raised.value) == "scripted: timed out"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not a list of scripts"),
        ("- say: x", "not a list of scripts"),
        ("- - shout: x", "script 1, step 1"),
        ("- - say: x\n  - fail: sulking", "script 1, step 2"),
        ("- - wait: long", "script 1, step 1"),
        ("- - [1]", "script 1, step 1"),
        ("- - finish: maybe", "finish is"),
        ("{", "cannot be read"),
    ],
)
def test_a_wrong_script_is_named_by_file_and_step(tmp_path, text, complaint):
    path = tmp_path / "script.yaml"
    path.write_text(text)
    with pytest.raises(SettingsInvalid, match=complaint) as raised:
        build_llm(settings(llm_providers="scripted", llm_script=path), EXTRACTIVE)
    assert str(path) in str(raised.value)


def test_a_missing_script_is_named(tmp_path):
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        build_llm(settings(llm_providers="scripted", llm_script=tmp_path / "none.yaml"), EXTRACTIVE)


@pytest.mark.parametrize(
    ("provider", "model", "tokens", "dollars"),
    [
        ("openai", "gpt-4.1-mini", (1_000_000, 0), 0.40),
        ("openai", "gpt-4.1-mini", (0, 1_000_000), 1.60),
        ("openai", "gpt-4.1-mini-2025-04-14", (1_000_000, 1_000_000), 2.0),
        ("gemini", "gemini-2.5-flash-lite", (1000, 1000), 0.0005),
        ("openai", "gpt-99", (1000, 1000), None),
        ("azure", "desk", (1000, 1000), None),
        ("openai", "gpt-4.1-mini", (None, 10), None),
        ("extractive", "articles", (None, None), 0),
    ],
)
def test_a_reply_costs_what_the_table_says_and_unknown_is_not_free(provider, model, tokens, dollars):
    cost = read_prices().cost(provider, model, *tokens)
    assert cost == (pytest.approx(dollars) if dollars is not None else None)


def test_an_own_price_table_stands_over_the_one_that_ships(tmp_path):
    own = tmp_path / "prices.yaml"
    own.write_text("azure:\n  desk: [1, 2]\nopenai:\n  gpt-4.1-mini: [9, 9]\n")
    prices = read_prices(own)
    assert prices.cost("azure", "desk", 1_000_000, 0) == 1
    assert prices.cost("openai", "gpt-4.1-mini", 1_000_000, 0) == 9
    assert prices.cost("openai", "gpt-4.1", 1_000_000, 0) == 2


@pytest.mark.parametrize(
    "text", ["[1]", "openai: 3", "openai:\n  m: [1]", "openai:\n  m: [-1, 2]", "openai:\n  m: [a, b]", "{"]
)
def test_a_wrong_price_table_is_named(tmp_path, text):
    own = tmp_path / "prices.yaml"
    own.write_text(text)
    with pytest.raises(SettingsInvalid, match=r"LLM_PRICES: .*prices\.yaml"):
        read_prices(own)
