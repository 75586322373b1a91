"""Errors as problem documents (RFC 9457): what is the matter, in words for who called, and never an exception's text."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from bot.errors import (
    ClientIdReused,
    ConversationUnknown,
    FrontdeskError,
    HolderChanged,
    LogUnavailable,
    MessageRefused,
    NotYours,
    StaffInvalid,
    TooManyMessages,
)

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
UNKNOWN = "There is no such conversation or reply, or it is not yours."
STATUSES = (400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 431, 500, 503)
"""Every status with which a request may be refused."""


class Wrong(BaseModel):
    """One thing that is wrong with a request: where, and what."""

    where: list[str]
    what: str


class Problem(BaseModel):
    """A problem document; `code` is a word for programs, `detail` a sentence for people that says what to do."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    errors: list[Wrong] = Field(default=[])


class Refused(Exception):
    """A request is not granted."""

    def __init__(self, status: int, code: str, detail: str, *, retry_after: float | None = None) -> None:
        self.status, self.code, self.detail = status, code, detail
        self.headers = {} if retry_after is None else {"Retry-After": str(max(1, round(retry_after + 0.5)))}
        if status == HTTPStatus.UNAUTHORIZED:
            self.headers["WWW-Authenticate"] = "Bearer"
        self.errors: list[Wrong] = []
        super().__init__(detail)

    @property
    def problem(self) -> Problem:
        """As a document."""
        title = HTTPStatus(self.status).phrase
        return Problem(title=title, status=self.status, code=self.code, detail=self.detail, errors=self.errors)

    @property
    def response(self) -> Response:
        """As a response."""
        return JSONResponse(self.problem.model_dump(), self.status, self.headers, MEDIA_TYPE)


def refusal_of(error: FrontdeskError) -> Refused:
    """What a caller is told of one of our errors; what is another's is as unknown as what does not exist."""
    if isinstance(error, MessageRefused):
        return _refusal_of_message(error)
    if isinstance(error, NotYours | ConversationUnknown):
        return Refused(404, "unknown", UNKNOWN)
    if isinstance(error, HolderChanged):
        return Refused(409, "holder_changed", "Somebody else holds the conversation by now. Look at it again.")
    if isinstance(error, StaffInvalid):
        return Refused(422, "staff_invalid", str(error))
    if isinstance(error, LogUnavailable):
        return Refused(
            503, "unavailable", "Nothing can be stored or read just now. Try again soon.", retry_after=RETRY_SECONDS
        )
    logger.error("a request failed", exc_info=error)
    return failed()


def _refusal_of_message(error: MessageRefused) -> Refused:
    if isinstance(error, TooManyMessages):
        return Refused(429, "too_many_messages", error.reason, retry_after=RETRY_SECONDS)
    if isinstance(error, ClientIdReused):
        return Refused(409, "client_id_reused", error.reason)
    return Refused(422, "message_refused", error.reason)


def not_there() -> Refused:
    """No such address."""
    return Refused(404, "not_found", _explain(404))


def failed() -> Refused:
    """Something of ours is broken."""
    return Refused(500, "failed", "Something went wrong on our side. Please try again in a moment.")


def tell_problems(app: FastAPI) -> None:
    """Make every error of the application a problem document."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(FrontdeskError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _other)
    app.add_exception_handler(Exception, _failed)


def documented() -> dict[int | str, dict[str, Any]]:
    """The refusals as OpenAPI's `responses`."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in STATUSES}


async def _refused(request: Request, error: Exception) -> Response:
    return error.response if isinstance(error, Refused) else failed().response


async def _ours(request: Request, error: Exception) -> Response:
    return (refusal_of(error) if isinstance(error, FrontdeskError) else failed()).response


async def _invalid(request: Request, error: Exception) -> Response:
    """What is wrong with a request, without repeating it: it may hold what no answer can."""
    problems = error.errors() if isinstance(error, RequestValidationError) else ()
    refused = Refused(422, "invalid", "The request is not as documented; see `errors`.")
    refused.errors = [Wrong(where=[plain(part) for part in p["loc"]], what=plain(p["msg"], 200)) for p in problems][:20]
    return refused.response


async def _other(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return failed().response
    phrase = HTTPStatus(error.status_code).phrase
    refused = Refused(error.status_code, phrase.lower().replace(" ", "_"), _explain(error.status_code))
    headers: Mapping[str, str] = error.headers or {}
    refused.headers.update(headers)
    return refused.response


def _explain(status: int) -> str:
    told = {
        400: "The request could not be read: send JSON in UTF-8, or a form with its boundary.",
        404: "There is nothing at this address. The documentation is at /api/v1/docs.",
        405: "This address does not take this method; `Allow` says which it takes.",
    }
    return told.get(status, "The request cannot be granted.")


async def _failed(request: Request, error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return failed().response


def plain(value: object, most: int = 50) -> str:
    """A text that every answer can hold."""
    return str(value).encode("utf-8", "replace").decode()[:most]
