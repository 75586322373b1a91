"""The configuration that docs/deploy.md shows, run by a real nginx: TLS, sockets, sentences as they come, below a path."""

import json
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.api.conftest import Caller
from tests.chat_client import ChatClient
from tests.server import ROOT, Server, free_port, wait_for_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
pytestmark = pytest.mark.skipif(not NGINX, reason="no nginx")
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def write_certificate(folder: Path) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def documented(folder: Path, port: int, tls_port: int, server: Server) -> str:
    """The page's two blocks with this machine's addresses and files; it listens without TLS too."""
    site, below = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8"), re.S)
    shared = ("proxy_set_header", "proxy_http_version", "proxy_buffering")
    same = "\n".join(line for line in site.splitlines() if line.strip().startswith(shared))
    below = below.replace("# … the same headers", same)
    site = site.rstrip().removesuffix("}") + below + "}\n"
    changes = {
        "listen 443 ssl": f"listen 127.0.0.1:{port};\n    listen 127.0.0.1:{tls_port} ssl",
        "127.0.0.1:8000": f"127.0.0.1:{server.port}",
        "/etc/ssl/chat.example.com.pem": str(folder / "certificate.pem"),
        "/etc/ssl/chat.example.com.key": str(folder / "key.pem"),
        "chat.example.com": "127.0.0.1",
        "Host $host;": "Host $http_host;",
    }
    for old, new in changes.items():
        assert old in site, old
        site = site.replace(old, new)
    temporary = "\n".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
    return (
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{ worker_connections 256; }}\nhttp {{ access_log off; {temporary}\n{site}\n}}\n"
    )


@dataclass(frozen=True)
class Front:
    """Where nginx listens."""

    address: str
    tls_port: int


@pytest.fixture(scope="module")
def nginx(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder, port, tls_port = tmp_path_factory.mktemp("nginx"), free_port(), free_port()
    write_certificate(folder)
    (folder / "nginx.conf").write_text(documented(folder, port, tls_port, server), encoding="utf-8")
    command = [str(NGINX), "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield Front(f"http://127.0.0.1:{port}", tls_port)
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def front(nginx: Front) -> str:
    return nginx.address


@pytest.fixture
def browser(http: aiohttp.ClientSession) -> aiohttp.ClientSession:
    return http


def test_tls_ends_at_nginx_and_the_server_knows(nginx: Front) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with closing(HTTPSConnection("127.0.0.1", nginx.tls_port, context=trusting, timeout=60)) as connection:
        connection.request("GET", "/")
        page = connection.getresponse()
        page.read()
        assert page.status == 200
        assert "max-age" in page.headers["Strict-Transport-Security"]
        assert "Secure" in page.headers["Set-Cookie"]


async def test_our_own_pages_may_ask_and_others_may_not(front: str, browser: aiohttp.ClientSession) -> None:
    anna = await Caller(front, browser).begin()
    for origin, status in ((front, 200), ("https://evil.example", 403)):
        assert (await anna.call("GET", "/chat/conversations", headers={"Origin": origin}))[0] == status


async def test_events_come_as_they_happen_and_not_at_the_end(front: str, browser: aiohttp.ClientSession) -> None:
    anna = await Caller(front, browser).begin()
    body = {"text": "slow 1000", "client_id": "5a6b8c1e-33a1-4c44-9a29-3b0f2a2a5f10"}
    headers = {"Authorization": f"Bearer {anna.token}", "Accept": "text/event-stream"}
    async with browser.post(f"{front}/api/v1/chat/message", json=body, headers=headers) as answer:
        text = ""
        while "\n\n" not in text:
            text += (await answer.content.readline()).decode()
        told = json.loads(text.partition("data: ")[2])
        _, history, _ = await anna.call("GET", f"/chat/history/{told['conversation']}")
        assert [line["text"] for line in history["lines"]] == ["slow 1000"], "the first event is here, the reply is not"
        async with await anna.socket() as ws:
            for frame in ({"type": "join", "token": anna.token, "conversation": told["conversation"]}, {"type": "stop"}):
                await ws.send_json(frame)
            rest = (await answer.content.read()).decode()
    assert "event: reply" in rest


@pytest.mark.parametrize("below", ["", "/chat"])
async def test_sockets_pass(front: str, browser: aiohttp.ClientSession, below: str) -> None:
    anna = await Caller(f"{front}{below}", browser).begin()
    async with await anna.socket(headers={"Origin": front}) as ws:
        await ws.send_json({"type": "join", "token": anna.token})
        client_id = "5a6b8c1e-33a1-4c44-9a29-3b0f2a2a5f11"
        await ws.send_json({"type": "message", "text": "hello", "client_id": client_id})
        while True:
            frame = await ws.receive_json(timeout=60)
            if frame["type"] == "line" and frame["line"]["text"] == "You said: hello":
                break
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await anna.socket(headers={"Origin": "https://evil.example"})
    async with browser.get(f"{front}{below}/widget.js") as script:
        assert script.status in (200, 404), "the tests' app serves no widget; the product does"


async def test_the_whole_chat_passes(front: str, browser: aiohttp.ClientSession) -> None:
    page = ChatClient(front, browser)
    await page.sign_in()
    await page.connect()
    await page.ask("hello")
    await page.close()
