"""The providers' settings: what can be known to be wrong is said at start, all of it at once and without secrets."""

import pytest

from bot.errors import SettingsInvalid
from bot.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def problems_of(monkeypatch, **settings):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid) as raised:
        read_settings()
    return str(raised.value)


def test_every_problem_is_named_at_once(monkeypatch):
    said = problems_of(
        monkeypatch,
        LLM_PROVIDERS="openai, azure",
        OPENAI_API_KEY="two words",
        OPENAI_BASE_URL="htps://api.openai.com/v1",
        AZURE_OPENAI_ENDPOINT="desk.openai.azure.com",
        LLM_CONNECT_SECONDS="0",
    )
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "AZURE_OPENAI_ENDPOINT",
        "AZURE_OPENAI_DEPLOYMENT",
        "LLM_CONNECT_SECONDS",
    ):
        assert name in said


def test_a_wrong_key_is_named_but_not_shown(monkeypatch):
    assert "hush" not in problems_of(monkeypatch, OPENAI_API_KEY="sk-hush hush", GEMINI_API_KEY="héush", TURN_SECONDS="no")


@pytest.mark.parametrize(
    "url",
    [
        "localhost:11434/v1",
        "https:/api.groq.com/v1",
        "http://",
        "http://a b/v1",
        "http://host:99999/v1",
        "http://host:0/v1",
        "http://user:pass@host/v1",
        "http://host/v1?key=1",
        "http://host/v1/chat/completions",
        "https://api.openai.com",
    ],
)
def test_an_address_with_a_typo_is_refused_at_start(monkeypatch, url):
    assert "COMPATIBLE_BASE_URL" in problems_of(monkeypatch, COMPATIBLE_BASE_URL=url)


@pytest.mark.parametrize(
    ("providers", "complaint"),
    [
        ("openai,openai", "once"),
        ("opnai", "'openai'"),
        (",", "at least one"),
        ("extractive,openai", "last"),
        ("gemini", "GEMINI_API_KEY: needed"),
        ("compatible", "COMPATIBLE_MODEL: needed"),
        ("scripted", "LLM_SCRIPT: needed"),
    ],
)
def test_an_order_that_cannot_work_is_refused_at_start(monkeypatch, providers, complaint):
    assert complaint in problems_of(monkeypatch, LLM_PROVIDERS=providers)


def test_the_order_is_read_with_commas_and_any_case(monkeypatch):
    monkeypatch.setenv("LLM_PROVIDERS", " OpenAI , extractive ")
    monkeypatch.setenv("OPENAI_API_KEY", " sk-1\n")
    settings = read_settings()
    assert settings.llm_providers == ("openai", "extractive")
    assert settings.openai_api_key.get_secret_value() == "sk-1"
    assert "sk-1" not in repr(settings)


def test_a_server_of_ones_own_needs_no_key(monkeypatch):
    monkeypatch.setenv("LLM_PROVIDERS", "openai")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:11434/v1/")
    assert read_settings().openai_base_url == "http://localhost:11434/v1"
