"""`python -m bot doctor`: looks a deployment over and says what is wrong, and how to put it right."""

import asyncio
import base64
import resource
import secrets
import shutil
import socket
import sqlite3
import ssl
import stat
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.api.customer_tokens import read_public_key
from bot.desk.policy import DESK_FILE
from bot.errors import FrontdeskError, IntentsInvalid, LogUnavailable, SettingsInvalid
from bot.intents import read_intents
from bot.llm.vendors import provider_names
from bot.settings import Settings, read_settings
from bot.settings_place import GENERIC_INTENTS, LARKFIELD, LARKFIELDS_INTENTS, ROOT
from bot.sql.database import MIGRATIONS, Database
from bot.sql.postgresql import name_of, open_postgresql, read_address
from bot.sql.sqlite import FILE_NAME, open_sqlite
from knowledge.document import DocumentId
from knowledge.errors import KnowledgeError
from knowledge.texts import Texts
from knowledge.versions import Versions

CONNECT_SECONDS = 3.0
LEAST_FREE_BYTES = 1_000_000_000
LEAST_FILES = 4096
FOREIGN = "https://somebody-else.example"
DEMO_ARTICLES = ROOT / "knowledge" / "articles"
Grade = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found; `fix` says what to do, and is empty where all is well."""

    grade: Grade
    what: str
    fix: str = ""

    def __str__(self) -> str:
        signs = {"ok": "ok    ", "note": "note  ", "wrong": "WRONG "}
        return f"{signs[self.grade]} {self.what}" + (f"\n         -> {self.fix}" if self.fix else "")


def examine(url: str | None = None) -> Iterator[Finding]:
    """Every finding, in the order in which things depend on each other; `url` is where customers reach the server."""
    try:
        settings = read_settings()
    except SettingsInvalid as invalid:
        yield Finding(grade="wrong", what=str(invalid), fix="Correct them in the environment or in .env.")
        return
    yield Finding(grade="ok", what="The settings can be read.")
    checks: list[Callable[[Settings], Iterable[Finding]]] = [
        check_secrets,
        check_files,
        check_database,
        check_knowledge,
        check_company,
        check_providers,
        check_redis,
    ]
    for check in checks:
        yield from check(settings)
    if url:
        yield from check_site(url.rstrip("/"), settings)
    else:
        yield _note("The site was not looked at.", "Give its address: python -m bot doctor --url https://chat.example.com")


def check_secrets(settings: Settings) -> Iterator[Finding]:
    """Keys and passwords: there, strong enough, and readable by nobody else."""
    if not settings.chainlit_auth_secret and settings.database_url:
        yield _note(
            "CHAINLIT_AUTH_SECRET is not set: each machine makes its own, and visitors are strangers on the next one.",
            "Set the same in all processes: `openssl rand -hex 32`.",
        )
    for path in (settings.data_dir / "secret", settings.data_dir / FILE_NAME, Path(".env")):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield _wrong(f"{path} can be read by others on this machine.", f"chmod 600 {path}")
    if settings.customer_token_public_key:
        try:
            read_public_key(settings.customer_token_public_key)
        except SettingsInvalid as invalid:
            yield _wrong(str(invalid), "Put the PEM file of your back end's public key there.")
    elif not settings.customer_token_secret:
        yield _note(
            "No key for customers' tokens is set: every customer is anonymous.",
            "Set CUSTOMER_TOKEN_SECRET or CUSTOMER_TOKEN_PUBLIC_KEY (docs/api.md).",
        )
    if settings.environment == "development":
        yield _note(
            "ENVIRONMENT is `development`: the API's documentation and the demo shop are open to everybody.",
            "Leave ENVIRONMENT out where customers are.",
        )


def check_files(settings: Settings) -> Iterator[Finding]:
    """Room on the disk, and for open connections."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(settings.data_dir).free
        (probe := settings.data_dir / ".doctor").write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        yield _wrong(
            f"{settings.data_dir} cannot be written ({error.strerror}).", "Let this user write it, or set DATA_DIR."
        )
        return
    if free < LEAST_FREE_BYTES:
        yield _wrong(f"Only {free / 1e9:.1f} GB are free in {settings.data_dir}.", "Free some: an ingestion needs room too.")
    else:
        yield Finding(grade="ok", what=f"{settings.data_dir} can be written; {free / 1e9:.0f} GB are free.")
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files < LEAST_FILES:
        yield _note(
            f"This process may have {files} files and connections open.", f"Allow {LEAST_FILES}: LimitNOFILE= or ulimit -n."
        )


def check_database(settings: Settings) -> Iterator[Finding]:
    """The log: there, whole, and in the shape of this version."""
    try:
        if settings.database_url:
            address = read_address(settings.database_url)
            database = Database(open_postgresql(address, 1), name_of(address))
        elif not (settings.data_dir / FILE_NAME).exists():
            yield _note("There is no database yet.", "It is made at the first start.")
            return
        else:
            database = Database(open_sqlite(settings.data_dir, 1), str(settings.data_dir / FILE_NAME))
    except FrontdeskError as error:
        yield _wrong(str(error), "Correct DATABASE_URL.")
        return
    try:
        yield _look_at(database)
    except (LogUnavailable, SQLAlchemyError) as error:
        yield _wrong(f"The database cannot be used: {error}", "See the sentence before this one.")
    finally:
        database.close()


def check_knowledge(settings: Settings) -> Iterator[Finding]:
    """The articles: an index in use, and whole."""
    versions = Versions(settings.data_dir / "knowledge")
    try:
        manifest = versions.manifest(versions.current())
    except KnowledgeError as error:
        if settings.company != LARKFIELD and settings.articles_dir == DEMO_ARTICLES:
            yield _wrong(f"{error} The first start would take the demo's articles.", "Ingest your own into this DATA_DIR.")
        else:
            yield _note(f"{error}", "`make ingest`, or let the first start do it.")
        return
    if not versions.complete(manifest):
        yield _wrong(f"Index version {manifest.id} is damaged.", "python -m knowledge ingest --rebuild FOLDER")
    elif not manifest.documents:
        yield _wrong("The index holds no article that customers may see.", "Ingest some: python -m knowledge ingest FOLDER")
    else:
        yield Finding(grade="ok", what=f"{manifest.documents} articles, version {manifest.id}.")
        if settings.company != LARKFIELD and (ours := _demo_articles(versions.folder / manifest.id / "public")):
            yield _wrong(
                f"{ours} of the articles are the demo's: {settings.company}'s customers are told about Larkfield.",
                "Ingest your own into the same DATA_DIR: python -m knowledge ingest FOLDER",
            )


def check_company(settings: Settings) -> Iterator[Finding]:
    """The intents can be read; and, for another company than the demo's, nothing of the demo is left."""
    try:
        read = read_intents(settings.intents_file)
        yield Finding(grade="ok", what=f"{len(read.intents)} intents in {settings.intents_file}.")
    except IntentsInvalid as invalid:
        yield _wrong(str(invalid), "Correct the file, or leave INTENTS_FILE out.")
    if settings.company == LARKFIELD:
        return
    if settings.intents_file == LARKFIELDS_INTENTS:
        yield _wrong(
            "INTENTS_FILE is Larkfield's: it reads every message as one about broadband, mobiles and bills.",
            "Leave INTENTS_FILE out, or write your own: python -m bot intents --start my-intents.yaml",
        )
    elif settings.intents_file == GENERIC_INTENTS:
        yield _note(
            "INTENTS_FILE is not set: messages are read as what customers of any company come for.",
            "Write your own, with your customers' words: python -m bot intents --start my-intents.yaml",
        )
    if settings.desk_file == DESK_FILE:
        yield _note(
            "DESK_FILE is not set: the desk's opening hours, holidays and teams are made up.",
            f"Copy {DESK_FILE}, change it, and name the copy in DESK_FILE.",
        )
    if settings.demo:
        yield _wrong("DEMO is on: customers are shown Larkfield's made-up bills and visits.", "Leave DEMO out.")


def _demo_articles(collection: Path) -> int:
    """How many of the demo's articles the index holds; 0 where it cannot be read, of which the server tells."""
    names = [DocumentId(file.stem) for file in DEMO_ARTICLES.rglob("*.md")]
    try:
        with closing(Texts(collection / "texts.sqlite")) as texts:
            found = [texts.article(name) for name in names]
    except sqlite3.Error:
        return 0
    return sum(LARKFIELD in "".join(one.text for one in article.passages) for article in found if article)


def check_providers(settings: Settings) -> Iterator[Finding]:
    """Whether the servers of those who write can be reached from here; nothing is asked of them."""
    addresses = {
        "openai": settings.openai_base_url,
        "azure": settings.azure_openai_endpoint,
        "gemini": settings.gemini_base_url,
        "compatible": settings.compatible_base_url,
    }
    names = provider_names(settings)
    for name in names:
        if address := addresses.get(name):
            yield _reach(name, address)
    if names == ("extractive",):
        yield _note("Nobody writes: the articles are quoted.", "Set OPENAI_API_KEY, GEMINI_API_KEY or another provider.")


def check_redis(settings: Settings) -> Iterator[Finding]:
    """Redis, where one is named."""
    if settings.redis_url is None:
        return
    parts = urlsplit(settings.redis_url.get_secret_value())
    if parts.scheme == "unix":
        if not Path(parts.path).exists():
            yield _wrong(f"There is no socket {parts.path}.", "Start Redis, or correct REDIS_URL.")
        return
    yield _reach("Redis", f"{'https' if parts.scheme == 'rediss' else 'http'}://{parts.hostname}:{parts.port or 6379}")


def check_site(url: str, settings: Settings) -> Iterator[Finding]:
    """What customers' browsers meet: TLS, cookies, headers, sockets through the proxy, and foreign pages kept out."""
    try:
        status, headers = _fetch(f"{url}/")
        health, _ = _fetch(f"{url}/api/v1/health")
    except OSError as error:
        yield _wrong(f"{url} cannot be reached: {error}", "Start the server, or correct the address or its certificate.")
        return
    if (status, health) != (200, 200):
        yield _wrong(f"{url} answers {status}, its health {health}.", "See the server's log and GET /health.")
    is_https = url.startswith("https://")
    if not is_https and urlsplit(url).hostname not in ("localhost", "127.0.0.1", "::1"):
        yield _wrong(f"{url} is not encrypted.", "Put TLS before it: docs/deploy.md.")
    yield from _check_headers(headers, is_https=is_https)
    refused, _ = _fetch(f"{url}/api/v1/health", {"Origin": FOREIGN})
    if refused != 403:
        yield _wrong(
            f"A page of a foreign site gets {refused} instead of 403.", "See that the proxy passes Origin and Host on."
        )
    if not _opens_socket(url):
        yield _wrong("No socket comes through.", "Let the proxy pass `Upgrade` and `Connection` on: docs/deploy.md.")
    else:
        yield Finding(grade="ok", what=f"{url} answers; sockets come through, foreign pages do not.")


def _check_headers(headers: Mapping[str, str] | Message, *, is_https: bool) -> Iterator[Finding]:
    cookie = (headers.get("Set-Cookie") or "").lower()
    wanted = ["httponly", "samesite=lax"] + (["secure"] if is_https else [])
    if cookie and (missing := [flag for flag in wanted if flag not in cookie]):
        yield _wrong(
            f"The visitors' cookie lacks {', '.join(missing)}.",
            "Let the proxy send X-Forwarded-Proto, and name it in FORWARDED_ALLOW_IPS: docs/deploy.md.",
        )
    if is_https and not headers.get("Strict-Transport-Security"):
        yield _wrong("There is no Strict-Transport-Security.", "The same: the server does not know that it is behind TLS.")
    if "default-src 'none'" not in (headers.get("Content-Security-Policy") or ""):
        yield _wrong("The page's Content-Security-Policy is not ours.", "Let the proxy leave our headers alone.")


def _look_at(database: Database) -> Finding:
    head = ScriptDirectory.from_config(_alembic()).get_current_head()
    with database.read() as connection:
        shape = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if not database.is_server and (damage := connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()) != "ok":
            return _wrong(f"{database.name} is damaged: {damage}", "Move it away and restore a backup.")
    if shape != head:
        return _note(f"{database.name} is in shape {shape}, this version's is {head}.", "The next start brings it there.")
    return Finding(grade="ok", what=f"{database.name} is whole and in this version's shape.")


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _reach(name: str, address: str) -> Finding:
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS) as plain:
            if parts.scheme == "https":
                ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname).close()
    except OSError as error:
        return _wrong(
            f"{name}: {parts.hostname}:{port} cannot be reached ({error}).", "See the address, the firewall and the proxy."
        )
    return Finding(grade="ok", what=f"{name}: {parts.hostname}:{port} can be reached.")


def _fetch(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, Message]:
    request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310  the operator's own address
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.headers
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers


def _opens_socket(url: str) -> bool:
    return asyncio.run(_shake_hands(url))


async def _shake_hands(url: str) -> bool:
    parts = urlsplit(url)
    is_https = parts.scheme == "https"
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    lines = (
        f"GET {parts.path}/api/v1/ws HTTP/1.1",
        f"Host: {parts.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    )
    try:
        async with asyncio.timeout(10):
            port = parts.port or (443 if is_https else 80)
            reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=is_https or None)
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            answer = await reader.readline()
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError):
        return False
    return b" 101 " in answer


def _note(what: str, fix: str) -> Finding:
    return Finding(grade="note", what=what, fix=fix)


def _wrong(what: str, fix: str) -> Finding:
    return Finding(grade="wrong", what=what, fix=fix)
