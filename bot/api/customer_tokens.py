"""The tokens with which the company's back end says who a customer is: JWT, HS256 or RS256, taken once each."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bot.api.problems import Refused
from bot.domain import CustomerId
from bot.errors import SettingsInvalid
from bot.records import ERASED, Records
from bot.settings import Settings

SHORTEST_KEY_BITS = 2048
LONGEST_SECONDS = 3600
"""A token that is to be taken once needs no longer life; one that is valid for long is a password on its way."""
_LONGEST = 4096
_SUBJECT = re.compile(r"(?!visitor-|" + ERASED + r")[A-Za-z0-9][A-Za-z0-9._@:+-]{0,99}")
_ID = re.compile(r"[\x21-\x7e]{8,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """Who the company says it is, and until when its word holds."""

    customer: CustomerId
    until: datetime


class CustomerTokens:
    """Reads customers' tokens; `is_on` says whether the company can sign any. Raises SettingsInvalid for a bad key file."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self._records, self._settings = records, settings
        secret = settings.customer_token_secret
        self._keys: dict[str, str | RSAPublicKey] = {}
        if secret:
            self._keys["HS256"] = secret.get_secret_value()
        if settings.customer_token_public_key:
            self._keys["RS256"] = read_public_key(settings.customer_token_public_key)
        self.is_on = bool(self._keys)

    async def exchange(self, token: str) -> Vouched:
        """Who it is; the same token a second time is refused. Raises Refused (401) saying what is wrong with it."""
        claims = self._claims(token)
        subject, id = claims["sub"], claims["jti"]
        if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
            raise _bad("its `sub` must be 1 to 100 letters, digits or . _ @ : + - and not begin like one of our own ids")
        if not isinstance(id, str) or not _ID.fullmatch(id):
            raise _bad("its `jti` must be 8 to 100 visible ASCII characters, another one in each token")
        if int(claims["exp"]) - int(claims["iat"]) > LONGEST_SECONDS:  # first: milliseconds are in no year that we know
            raise _bad(f"it is valid for longer than {LONGEST_SECONDS} s; `iat` and `exp` are seconds since 1970")
        leeway = timedelta(seconds=self._settings.customer_token_leeway_seconds)
        until = datetime.fromtimestamp(int(claims["exp"]), UTC)
        if not await self._records.spend(f"jti:{id}", until + leeway + timedelta(seconds=1)):
            raise _bad("it was used before")
        return Vouched(customer=CustomerId(subject), until=until)

    def _claims(self, token: str) -> dict[str, int | str]:
        if not self.is_on:
            raise _bad("no key for such tokens is set here (CUSTOMER_TOKEN_SECRET or CUSTOMER_TOKEN_PUBLIC_KEY)")
        try:
            algorithm = str(jwt.get_unverified_header(token).get("alg")) if len(token) <= _LONGEST else ""
            key = self._keys.get(algorithm)
            if key is None:
                raise _bad(f"it must be signed with {' or '.join(sorted(self._keys))}")
            claims = jwt.decode(
                token,
                key,
                [algorithm],
                {"require": ["exp", "iat", "aud", "sub", "jti"]},
                audience=self._settings.customer_token_audience,
                issuer=self._settings.customer_token_issuer,
                leeway=self._settings.customer_token_leeway_seconds,
            )
        except (jwt.PyJWTError, ValueError, OverflowError) as error:
            raise _bad(_why(error)) from None
        return dict(claims)


def read_public_key(path: Path) -> RSAPublicKey:
    """The RSA key of a PEM file. Raises SettingsInvalid naming the file."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise SettingsInvalid(f"CUSTOMER_TOKEN_PUBLIC_KEY: {path} is not the PEM file of a public key: {error}") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < SHORTEST_KEY_BITS:
        raise SettingsInvalid(f"CUSTOMER_TOKEN_PUBLIC_KEY: {path} must hold an RSA key of {SHORTEST_KEY_BITS} bits or more")
    return key


def _bad(why: str) -> Refused:
    return Refused(401, "customer_token", f"The customer's token is not accepted: {why}. Ask your back end for a new one.")


def _why(error: Exception) -> str:
    told = {
        jwt.ExpiredSignatureError: "it has expired",
        jwt.ImmatureSignatureError: "it is from the future: see the clocks",
        jwt.InvalidAudienceError: "it is for another audience",
        jwt.InvalidIssuerError: "it is from another issuer",
        jwt.InvalidSignatureError: "its signature is not genuine",
    }
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"it has no `{error.claim}`"
    return next((words for kind, words in told.items() if isinstance(error, kind)), "it is no token that can be read")
