"""The widget: one script for any page of the company, and in development a shop that has it."""

import hashlib
from functools import partial

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from bot.bot import Bot
from bot.pages.rendering import TEMPLATES
from bot.settings import ROOT

SCRIPTS = tuple(ROOT / "public" / name for name in ("widget-words.js", "widget-stars.js", "widget.js"))
"""In this order one script: the first two are functions that the last calls, and nothing of it is global."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)


def widget_router(bot: Bot) -> APIRouter:
    """`GET /widget.js`; in development also the demo shop at `/demo`."""
    router = APIRouter(include_in_schema=False)
    script = b"(() => {\n" + b"\n".join(part.read_bytes() for part in SCRIPTS) + b"})();\n"
    headers = {
        "Cache-Control": "public, max-age=300",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": f'"{hashlib.sha256(script).hexdigest()[:16]}"',
    }

    @router.get("/widget.js")
    async def widget() -> Response:
        return Response(script, headers=headers, media_type="text/javascript")

    if bot.settings.environment == "development":
        for path in ("/demo", "/demo/plans"):
            router.add_api_route(path, partial(_demo, bot.settings.company, path), methods=["GET"])
    return router


async def _demo(company: str, path: str) -> Response:
    html = TEMPLATES.get_template("demo.html").render(company=company, path=path)
    return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})
