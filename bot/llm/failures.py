"""From a vendor's words to our error tree: status, code and text to a class, headers to a time, text without secrets."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bot.errors import (
    BadRequest,
    ContentFiltered,
    ContextTooLong,
    ModelUnknown,
    ProviderDown,
    ProviderFailed,
    ProviderTimedOut,
    ProviderUnauthorised,
    QuotaExhausted,
    RateLimited,
)

LONGEST_DETAIL = 8000
LONGEST_RETRY_AFTER = 3600.0

_CONTEXT = re.compile(
    r"context.?length|maximum context|context window|input token count|too many (input )?tokens|prompt is too long"
    r"|reduce the length|maximum number of tokens|request too large",
    re.IGNORECASE,
)
_FILTER = re.compile(r"content_?filter|content_policy|responsible ?ai|blocked by .*safety|prohibited_content", re.IGNORECASE)
_KEY = re.compile(r"api.?key.{0,20}(invalid|not valid|expired)|invalid.{0,4}api.?key|incorrect api.?key", re.IGNORECASE)
_QUOTA = re.compile(r"insufficient_quota|billing|credit", re.IGNORECASE)
_NO_MODEL = re.compile(r"model.{0,80}(not found|does not exist|not exist|unknown)|(unknown|invalid) model", re.IGNORECASE)
_DELAY = re.compile(r"""retry_?Delay\W{1,6}(?:seconds: )?(\d+(?:\.\d+)?)""", re.IGNORECASE)
"""How Gemini says it, in an error's details: `"retryDelay": "17s"`."""
_PER_DAY = re.compile(r"PerDay")
_BY_STATUS: Mapping[int, type[ProviderFailed]] = {
    401: ProviderUnauthorised,
    402: QuotaExhausted,
    403: ProviderUnauthorised,
    404: ModelUnknown,
    405: ModelUnknown,
    408: ProviderTimedOut,
    410: ModelUnknown,
    413: ContextTooLong,
    425: ProviderDown,
    429: RateLimited,
}
_SECRETS = re.compile(r"\b(sk-|AIza|gsk_|xox[a-z]-)[\w\-*]{6,}|(?<=Bearer )[\w\-.~+/=]{6,}|(?<=[?&]key=)[^&\s]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def classify(status: int | None, code: str, text: str) -> type[ProviderFailed]:
    """The class of failure for an HTTP status (None: told inside a stream) with the vendor's code and text.

    Codes are more telling than statuses: a wrong Gemini key is a 400, an empty account a 429, a filtered prompt a 400.
    """
    said = f"{code} {text}"
    if status in (None, 400, 403, 413, 422):
        for pattern, failure in ((_FILTER, ContentFiltered), (_CONTEXT, ContextTooLong), (_KEY, ProviderUnauthorised)):
            if pattern.search(said):
                return failure
    if status in (None, 400, 422) and _NO_MODEL.search(said):
        return ModelUnknown
    if status == 429 or (status is None and re.search(r"rate.?limit|resource_exhausted|quota", said, re.IGNORECASE)):
        return QuotaExhausted if _QUOTA.search(code) or _PER_DAY.search(text) else RateLimited
    if status is None or status >= 500:
        return ProviderDown
    return _BY_STATUS.get(status, BadRequest)


def retry_after(headers: Mapping[str, str], text: str = "") -> float | None:
    """Seconds until the vendor wants to be asked again, from `retry-after-ms`, `retry-after` (seconds or date) or `text`."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return min(milliseconds / 1000, LONGEST_RETRY_AFTER)
    stated = headers.get("retry-after", "").strip()
    seconds = _number(stated)
    if seconds is None and stated:
        seconds = _until(stated)
    if seconds is None and (in_text := _DELAY.search(text)):
        seconds = _number(in_text[1])
    return None if seconds is None else min(seconds, LONGEST_RETRY_AFTER)


def safe_detail(text: str, secrets: Sequence[str] = ()) -> str:
    """A vendor's text as one line for the log: our own secrets and what looks like a key are starred out."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _CONTROL.sub(" ", _SECRETS.sub("***", text)).strip()[:LONGEST_DETAIL]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
