"""Tokens without a network: an estimate for what the vendor did not count.

A real tokenizer is not loaded for this: o200k costs 80 MB of memory and a second of start-up, for a few per cent of accuracy
on the rare reply that comes without usage (docs/decisions/0010).
"""

import json
import re

from bot.llm.stream import Line, Request

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]")
PER_LINE = 4
"""Tokens that a vendor's own marks around a line of the prompt cost."""


def estimate_tokens(text: str) -> int:
    """Tokens of prose: a quarter of the ASCII characters, 0.8 of Chinese, Japanese and Korean ones, half of the others."""
    if text.isascii():
        return round(len(text) / 4)
    others, cjk = len(_NOT_ASCII.findall(text)), len(_CJK.findall(text))
    return round((len(text) - others) / 4 + cjk * 0.8 + (others - cjk) / 2)


def estimate_payload(text: str) -> int:
    """Tokens of JSON and the like, which has shorter ones: 2.5 characters each."""
    return round(len(text) / 2.5)


def estimate_request(request: Request) -> int:
    """Tokens of a whole prompt with its tools."""
    tools = sum(estimate_payload(f"{t.name} {t.description} {json.dumps(t.parameters, default=str)}") for t in request.tools)
    return tools + sum(_estimate_line(line) for line in request.lines)


def estimate_most(request: Request) -> int:
    """Tokens that a call may take with its reply; what customers write is counted twice, it may be of shorter tokens."""
    theirs = sum(estimate_tokens(line.text) for line in request.lines if line.role == "customer")
    return estimate_request(request) + theirs + request.max_tokens


def _estimate_line(line: Line) -> int:
    calls = sum(estimate_payload(f"{call.name} {json.dumps(call.arguments, default=str)}") for call in line.tool_requests)
    return PER_LINE + calls + (estimate_payload(line.text) if line.role == "tool" else estimate_tokens(line.text))
