"""The page itself: Chainlit's index.html without anything from another host, its assets packed once, its English words."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from chainlit.config import config_translation_dir
from chainlit.server import build_dir, get_html_template

from bot.settings import Settings

ASSETS = Path(build_dir) / "assets"
_FOREIGN_LINK = re.compile(r"\s*<link\b[^>]*https?://[^>]*>")
_FOREIGN_META = re.compile(r'\s*<meta\b[^>]*property="og:(?:url|image)"[^>]*>')
_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_PACKED = {".js", ".mjs", ".css", ".svg"}
_ASSET = re.compile(r"[\w-][\w.-]*\.(?:js|mjs|css|svg|woff2|png)")


@lru_cache(maxsize=4)
def read_page(root_path: str) -> str:
    """The HTML of the chat, which asks no other host for anything."""
    html = str(get_html_template(root_path))  # type: ignore[no-untyped-call]
    for foreign in (_COMMENT, _FOREIGN_LINK, _FOREIGN_META):
        html = foreign.sub("", html)
    return html


def content_policy(html: str, frames: tuple[str, ...]) -> str:
    """The Content-Security-Policy of a page: only our own scripts, no other host, framed only by `frames` and ourselves."""
    scripts = (base64.b64encode(hashlib.sha256(found.encode()).digest()).decode() for found in _INLINE_SCRIPT.findall(html))
    hashes = " ".join(f"'sha256-{digest}'" for digest in scripts)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {hashes}".strip(),
            "style-src 'self' 'unsafe-inline'",  # the page's components set styles on their elements
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors " + " ".join(("'self'", *frames)),
        )
    )


@lru_cache(maxsize=64)
def read_asset(name: str) -> tuple[bytes, bool] | None:
    """One of the page's scripts or styles and whether it is gzipped, packed once; None if there is none of that name."""
    path = ASSETS / name
    if not _ASSET.fullmatch(name) or not path.is_file():
        return None
    content = path.read_bytes()
    return (gzip.compress(content, mtime=0), True) if path.suffix in _PACKED else (content, False)


@lru_cache(maxsize=1)
def read_words(settings: Settings) -> Mapping[str, Any]:
    """The page's words, with the company's and the assistant's name in them."""
    text = (Path(config_translation_dir) / "en-US.json").read_text(encoding="utf-8")
    for name in ("company", "assistant"):
        text = text.replace("{" + name + "}", json.dumps(getattr(settings, name))[1:-1])
    words: Mapping[str, Any] = json.loads(text)
    return words
