"""Sign-in of the staff with the company's own accounts: OpenID Connect, authorisation code with PKCE (RFC 7636)."""

import asyncio
import hmac
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
import jwt
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from bot.errors import SignInFailed
from bot.settings import Settings

logger = logging.getLogger(__name__)

CALL_SECONDS = 10.0
LEEWAY_SECONDS = 30
KEPT_SECONDS = 600
"""How long somebody may take to sign in at the company's page."""
_ALGORITHMS = ["RS256", "PS256", "ES256"]
"""With keys that only the company's server has; never HS256, never none."""
_NEEDED = ["exp", "iat", "iss", "aud", "sub"]
_AUDIENCE = "oidc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Where to send somebody, and what their browser keeps until they are back."""

    url: str
    kept: str


class CompanyAccounts:
    """The company's OpenID provider. Any method raises SignInFailed, whose reason the staff may read."""

    def __init__(self, settings: Settings, key: bytes) -> None:
        self._issuer, self._claim = (settings.oidc_issuer or "").rstrip("/"), settings.oidc_claim
        self._client_id = settings.oidc_client_id or ""
        self._secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else ""
        self._key = key
        self._metadata: Mapping[str, Any] | None = None
        self._keys: dict[str, jwt.PyJWK] = {}

    async def begin(self, back: str) -> Begun:
        """Begin a sign-in that comes back to this address."""
        metadata = await self._read_metadata()
        nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        async with self._client(back) as client:
            url, state = client.create_authorization_url(
                metadata["authorization_endpoint"], nonce=nonce, code_verifier=verifier
            )
        until = int(time.time()) + KEPT_SECONDS
        kept = {"aud": _AUDIENCE, "exp": until, "state": state, "nonce": nonce, "verifier": verifier}
        return Begun(url=url, kept=jwt.encode(kept, self._key, algorithm="HS256"))

    async def finish(self, kept: str, query: Mapping[str, str], back: str) -> str:
        """The id of the account that somebody may have here, as the company says it."""
        try:
            begun = jwt.decode(kept, self._key, ["HS256"], {"require": ["exp", "state"]}, audience=_AUDIENCE)
        except jwt.InvalidTokenError:
            raise SignInFailed("This sign-in took too long, or began in another browser. Please try again.") from None
        if not hmac.compare_digest(str(begun["state"]).encode(), query.get("state", "").encode()) or "code" not in query:
            logger.warning("a sign-in came back without its state or code: %.100s", query.get("error", "no error"))
            raise SignInFailed("Your company's sign-in page did not let you in. Please try again.")
        claims = await self._verify(await self._exchange(query["code"], begun["verifier"], back))
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), str(begun["nonce"]).encode()):
            raise self._failed("the token is for another sign-in")
        named = claims.get(self._claim)
        if not isinstance(named, str):
            raise self._failed(f"the token has no {self._claim}")
        return named.strip().casefold()

    async def _exchange(self, code: str, verifier: str, back: str) -> str:
        metadata = await self._read_metadata()
        try:
            async with self._client(back) as client:
                token = await client.fetch_token(
                    metadata["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=verifier
                )
        except (AuthlibBaseError, httpx2.HTTPError, ValueError) as error:
            raise self._failed(f"the code was not exchanged: {type(error).__name__}") from None
        return str(token.get("id_token", ""))

    async def _verify(self, token: str) -> dict[str, Any]:
        try:
            key = await self._key_of(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                key,
                _ALGORITHMS,
                {"require": _NEEDED},
                audience=self._client_id,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise self._failed(f"the token is not genuine: {type(error).__name__}") from None
        if claims.get("azp", self._client_id) != self._client_id:
            raise self._failed("the token was given to somebody else")
        return claims

    async def _key_of(self, header: Mapping[str, Any]) -> jwt.PyJWK:
        """The key that is named; keys are read again when it is a new one."""
        name = str(header.get("kid", ""))
        if name not in self._keys:
            metadata = await self._read_metadata()
            keys = jwt.PyJWKSet.from_dict(await self._get(metadata["jwks_uri"])).keys
            self._keys = {str(key.key_id or ""): key for key in keys if key.public_key_use in (None, "sig")}
        if name not in self._keys:
            raise self._failed("the token's key is not among the company's")
        return self._keys[name]

    async def _read_metadata(self) -> Mapping[str, Any]:
        if self._metadata is None:
            found = await self._get(f"{self._issuer}/.well-known/openid-configuration")
            places = [str(found.get(name, "")) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
            if str(found.get("issuer", "")).rstrip("/") != self._issuer or not all(map(is_safe, places)):
                raise self._failed("its configuration names another issuer, or addresses without TLS")
            self._issuer = str(found["issuer"])  # as it writes itself, with or without a slash at the end
            self._metadata = found
        return self._metadata

    async def _get(self, url: str) -> dict[str, Any]:
        try:
            async with asyncio.timeout(CALL_SECONDS), self._client() as client:
                response = await client.request("GET", url, withhold_token=True)
                response.raise_for_status()
                found = response.json()
        except (httpx2.HTTPError, TimeoutError, ValueError) as error:
            raise self._failed(f"{url} cannot be read: {type(error).__name__}") from None
        if not isinstance(found, dict):
            raise self._failed(f"{url} is no JSON object")
        return found

    def _client(self, back: str = "") -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            self._client_id,
            self._secret,
            scope="openid profile email",
            redirect_uri=back,
            code_challenge_method="S256",
            timeout=CALL_SECONDS,
        )

    def _failed(self, why: str) -> SignInFailed:
        logger.warning("a sign-in with a company account failed: %s", why)
        return SignInFailed("Your company's sign-in cannot be used now. Please try again, or use your password.")


def is_safe(url: str) -> bool:
    """Whether what goes there is read by nobody else: TLS, or this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))
