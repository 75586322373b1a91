"""From settings to the LLM: a table of vendors, each loaded only when it is configured, as one failover."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from bot.errors import SettingsInvalid
from bot.llm.breaker import BreakerRules
from bot.llm.failover import Failover
from bot.llm.members import Member
from bot.llm.scripted import build_scripted
from bot.llm.stream import LLM, Limits
from bot.settings import ProviderName, Settings

logger = logging.getLogger(__name__)

Builder = Callable[[Settings], LLM]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """How a provider is built, and whether the settings hold what it needs."""

    build: Builder
    configured: Callable[[Settings], bool]


def _in(module: str, function: str) -> Builder:
    """A builder in a module that loads a vendor's library: loaded when it is first used."""

    def build(settings: Settings) -> LLM:
        llm: LLM = getattr(import_module(module), function)(settings)
        return llm

    return build


def _own_openai(settings: Settings) -> bool:
    """Whether OPENAI_BASE_URL names a server of one's own, which may want no key."""
    return bool(settings.openai_base_url != Settings.model_fields["openai_base_url"].default)


_GEMINI: Mapping[str, Builder] = {
    "google-genai": _in("bot.llm.gemini", "build_gemini"),
    "google-generativeai": _in("bot.llm.gemini_legacy", "build_gemini"),
    "openai": _in("bot.llm.openai", "build_gemini"),
}
VENDORS: Mapping[ProviderName, Vendor] = {
    "openai": Vendor(
        build=_in("bot.llm.openai", "build_openai"), configured=lambda s: bool(s.openai_api_key) or _own_openai(s)
    ),
    "azure": Vendor(
        build=_in("bot.llm.openai", "build_azure"),
        configured=lambda s: bool(s.azure_openai_endpoint and s.azure_openai_api_key and s.azure_openai_deployment),
    ),
    "gemini": Vendor(build=lambda s: _GEMINI[s.gemini_backend](s), configured=lambda s: s.gemini_api_key is not None),
    "compatible": Vendor(
        build=_in("bot.llm.openai", "build_compatible"),
        configured=lambda s: bool(s.compatible_base_url and s.compatible_model),
    ),
    "scripted": Vendor(build=build_scripted, configured=lambda s: False),
}
"""In the order in which they are asked when LLM_PROVIDERS does not say; the extractive answerer comes last and is given."""


def provider_names(settings: Settings) -> tuple[ProviderName, ...]:
    """Who is asked, in order: as LLM_PROVIDERS says, else whoever is configured and then the extractive answerer."""
    if settings.llm_providers is not None:
        return settings.llm_providers
    return (*(name for name, vendor in VENDORS.items() if vendor.configured(settings)), "extractive")


def build_llm(settings: Settings, extractive: LLM) -> Failover:
    """Everything that answers, as one LLM. Raises SettingsInvalid with every problem that shows only here."""
    rules = BreakerRules(
        failures=settings.llm_breaker_failures,
        open_seconds=settings.llm_breaker_open_seconds,
        longest_seconds=settings.llm_breaker_longest_seconds,
    )
    members, problems = [], []
    for name in provider_names(settings):
        try:
            members.append(
                Member(extractive, rules, quotes=True)
                if name == "extractive"
                else Member(VENDORS[name].build(settings), rules)
            )
        except (SettingsInvalid, ImportError) as problem:
            problems.append(f"{name}: {problem}")
    if problems:
        raise SettingsInvalid("Frontdesk cannot start:\n  " + "\n  ".join(problems))
    logger.info("answers come from %s", ", then ".join(f"{m.llm.name} ({m.llm.model})" for m in members))
    return Failover(members, patience_seconds=settings.llm_patience_seconds)


def turn_limits(settings: Settings, deadline: float) -> Limits:
    """The limits of a turn that must end at `deadline`, a time of the event loop's clock."""
    return Limits(
        connect_seconds=settings.llm_connect_seconds,
        first_token_seconds=settings.llm_first_token_seconds,
        between_tokens_seconds=settings.llm_between_tokens_seconds,
        deadline=deadline,
    )
