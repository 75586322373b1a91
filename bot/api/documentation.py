"""The API's own documentation: the OpenAPI document, and a page made of it that loads nothing from anywhere."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from markdown_it import MarkdownIt
from starlette.responses import HTMLResponse, JSONResponse, Response

from bot.api.access import access_of, seams_of
from bot.api.documented_links import add_links
from bot.api.knowledge import ArticleSet
from bot.api.problems import Problem, Refused
from bot.pages.rendering import TEMPLATES
from bot.staff import Role

PREFIX = "/api/v1"
_NOTHING: dict[str, Any] = {"security": [], "parameters": [], "requestBody": {}}
_MARKDOWN = MarkdownIt("commonmark", {"html": False})


def add_documentation(app: FastAPI) -> None:
    """`/openapi.json` and `/docs`: for everybody in development, else for developers."""
    app.add_route("/openapi.json", _document, include_in_schema=False)
    app.add_route("/docs", _page, include_in_schema=False)


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, servers=[{"url": PREFIX}]
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for shape in (Problem, ArticleSet):
            schema = shape.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs", {}))
            schemas[shape.__name__] = schema
        for operations in document["paths"].values():
            for operation in operations.values():
                operation["responses"] = {
                    status: response
                    for status, response in operation["responses"].items()
                    if "HTTPValidationError" not in str(response)
                }
        add_links(document)
        app.openapi_schema = document
    return app.openapi_schema


async def _document(request: Request) -> Response:
    await _check(request)
    return JSONResponse(openapi_of(request.app))


async def _page(request: Request) -> Response:
    await _check(request)
    document = openapi_of(request.app)
    operations = [
        {**_NOTHING, **told, "method": method.upper(), "path": PREFIX + path, "html": _html(told.get("description", ""))}
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]
    page = TEMPLATES.get_template("api.html")
    company = seams_of(request).bot.settings.company
    schemas = document["components"]["schemas"]
    return HTMLResponse(page.render(company=company, operations=operations, schemas=schemas))


async def _check(request: Request) -> None:
    """The documentation helps attackers too. Raises Refused."""
    if seams_of(request).bot.settings.environment == "development":
        return
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Refused(401, "staff_session", "The documentation is for developers: send a token of POST /staff/session.")
    await access_of(request).member(token, Role.DEVELOPER)


def _html(text: str) -> str:
    return str(_MARKDOWN.render(text))
