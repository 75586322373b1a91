"""Servers that are of no use: each gives a clear line in the log, costs little, and is used again once it is well."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.errors import SettingsInvalid, StoreUnavailable
from bot.settings import Settings
from bot.state import open_state
from bot.valkey.failures import NEEDED
from bot.valkey.server import Server, connect
from tests.state.servers import PATIENCE_SECONDS, RealServer, until_well


async def look(server: Server):
    return await server.call(lambda redis: redis.get("frontdesk:x"))


async def reason(url: str) -> str:
    """Why a server at this address is left out at start."""
    server = Server(url, "Redis")
    await server.start()
    assert server.trouble
    with pytest.raises(StoreUnavailable):
        await look(server)
    await server.close()
    return server.trouble.reason


async def test_a_refused_connection_fails_at_once_and_is_well_again_after_the_return(caplog):
    with RealServer("valkey") as running:
        server = Server(running.url, "Redis")
        await server.start()
        running.kill()
        with pytest.raises(StoreUnavailable, match="Redis cannot be reached; see whether it runs"):
            await look(server)
        with pytest.raises(StoreUnavailable):
            await look(server)
        assert caplog.text.count("Redis cannot be reached") == 1
        running.start()
        await until_well(server)
        assert server.returns == 1
        assert await look(server) is None
        await server.close()


async def test_a_hung_server_costs_its_callers_one_wait_and_those_after_them_nothing(running, server):
    running.hang()
    try:
        began = time.monotonic()
        for _ in range(20):
            with pytest.raises(StoreUnavailable, match="does not answer in time"):
                await look(server)
        assert time.monotonic() - began < PATIENCE_SECONDS * 5  # one wait, not twenty, on a slow machine too
    finally:
        running.go_on()
    await until_well(server)
    assert await look(server) is None


async def test_a_late_answer_is_never_taken_for_the_answer_to_another_question(running, server):
    await server.call(lambda redis: redis.mset({f"frontdesk:{n}": n for n in range(50)}))
    running.hang()
    try:
        await asyncio.gather(
            *(server.call(lambda redis, n=n: redis.get(f"frontdesk:{n}")) for n in range(50)), return_exceptions=True
        )
    finally:
        running.go_on()
    await until_well(server)
    got = await asyncio.gather(*(server.call(lambda redis, n=n: redis.get(f"frontdesk:{n}")) for n in range(50)))
    assert got == [b"%d" % n for n in range(50)]


async def test_a_cancelled_call_leaves_its_connection_to_nobody(server):
    await server.call(lambda redis: redis.mset({"frontdesk:a": "a", "frontdesk:b": "b"}))
    for _ in range(50):
        cut = asyncio.create_task(server.call(lambda redis: redis.get("frontdesk:a")))
        await asyncio.sleep(0)
        cut.cancel()
        await asyncio.gather(cut, return_exceptions=True)
        assert await server.call(lambda redis: redis.get("frontdesk:b")) == b"b"


@pytest.mark.parametrize("kind", ["valkey", "redis"])
async def test_a_wrong_password_is_told_as_that(kind, request):
    request.getfixturevalue(kind)  # skips where it is not installed
    with RealServer(kind, "--requirepass", "right") as running:
        assert "refuses our user or password" in await reason(running.url)
        assert "refuses our user or password" in await reason(running.url.replace("unix://", "unix://:wrong@"))
        server = Server(running.url.replace("unix://", "unix://:right@"), "Redis")
        await server.start()
        assert server.trouble is None
        await server.close()


async def test_a_user_without_rights_is_told_what_they_need_and_with_them_it_works(running):
    with running.client() as client:
        client.execute_command("ACL", "SETUSER", "poor", "on", ">pw", "~frontdesk:*", "+get")
        client.execute_command("ACL", "SETUSER", "frontdesk", "on", ">pw", *NEEDED.split())
    assert NEEDED in await reason(running.url.replace("unix://", "unix://poor:pw@"))
    url = running.url.replace("unix://", "unix://frontdesk:pw@")
    settings = Settings(_env_file=None, redis_url=url)
    state = await open_state(settings)
    assert state.status.well, state.status.detail
    await state.cells.put("a", b"1", 60)
    assert await state.cells.get("a") == b"1"
    lease = await state.bus.acquire("chat")
    assert lease.is_shared
    assert await state.bus.renew(lease)
    await state.bus.release(lease)
    await state.bus.appear("desk", "ann", 60)
    assert await state.bus.present("desk") == ["ann"]
    await state.bus.leave("desk", "ann")
    assert await state.bus.count("ann", 60) == 1
    await state.bus.wake("chat", 1)
    await state.cells.drop("a")
    assert state.status.well, state.status.detail
    await state.close()


async def test_a_read_only_replica_is_told_as_that(running):
    with running.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        assert "is a read-only replica; REDIS_URL must name the primary" in await reason(running.url)
    finally:
        with running.client() as client:
            client.execute_command("REPLICAOF", "NO", "ONE")


async def test_a_server_without_memory_is_told_as_that_and_is_used_again_when_it_has_some(running, server):
    with running.client() as client:
        client.config_set("maxmemory", "1")
        try:
            with pytest.raises(StoreUnavailable, match="is out of memory; raise its `maxmemory`"):
                await server.call(lambda redis: redis.set("frontdesk:x", "y" * 1000))
        finally:
            client.config_set("maxmemory", "0")
    await until_well(server)


@asynccontextmanager
async def pretender(answer: bytes) -> AsyncIterator[str]:
    """A server that says the same to whatever it is asked."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "is still loading its data"),
        (b"-MOVED 3999 127.0.0.1:6381\r\n", "is part of a cluster"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n<html>what?</html>", "answered with an error that we do not expect"),
        (b"$1000000\r\nhalf", "does not answer in time"),
    ],
)
async def test_what_is_no_server_of_ours_is_told_as_what_it_is(answer, told):
    async with pretender(answer) as url:
        assert told in await reason(url)


@pytest.mark.parametrize(("version", "told"), [("5.0.14", "is Redis 5.0.14; at least 6.2 is needed"), ("6.0.16", "6.0.16")])
async def test_a_redis_of_an_older_major_version_is_told_as_that(running, monkeypatch, version, told):
    async def told_version(_self):
        return version

    monkeypatch.setattr(Server, "_version", told_version)
    assert told in await reason(running.url)


async def test_a_port_where_nobody_listens_and_a_host_that_does_not_exist_are_told(unused_tcp_port):
    assert "cannot be reached" in await reason(f"redis://127.0.0.1:{unused_tcp_port}/0")


async def test_plain_text_where_tls_is_expected_is_told(running, unused_tcp_port):
    with RealServer("valkey", "--port", str(unused_tcp_port), "--bind", "127.0.0.1"):
        told = await reason(f"rediss://127.0.0.1:{unused_tcp_port}/0")
        assert "cannot be reached over TLS" in told or "does not answer in time" in told


def write_certificate(folder: Path) -> None:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "server.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


async def test_over_tls_a_server_is_used_when_its_certificate_is_trusted_and_refused_when_it_is_not(
    redis, tmp_path, unused_tcp_port
):
    write_certificate(tmp_path)
    files = ("--tls-cert-file", f"{tmp_path}/server.crt", "--tls-key-file", f"{tmp_path}/server.key")
    options = (*files, "--tls-port", str(unused_tcp_port), "--tls-auth-clients", "no", "--requirepass", "secret")
    with RealServer("redis", *options):
        url = f"rediss://:secret@127.0.0.1:{unused_tcp_port}/0"
        assert "cannot be reached over TLS; look at its certificate" in await reason(url)
        state = await open_state(Settings(_env_file=None, redis_url=f"{url}?ssl_ca_certs={tmp_path}/server.crt"))
        assert (state.status.kind, state.status.well, state.status.detail) == ("redis", True, "")
        await state.close()


@pytest.mark.parametrize("url", ["redis://h:1/0?socket_timeout=soon", "redis://h:1/0?colour=blue", "redis://h:1/zero?x=1"])
def test_an_address_with_unknown_options_is_refused_without_its_password(url):
    with pytest.raises(SettingsInvalid, match="REDIS_URL: cannot be used") as refused:
        connect(url.replace("h:1", "user:hunter2@h:1"))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", ["http://h", "redis://", "redis://h:0/0", "h:6379", "unix://relative", "redis://h:port"])
def test_what_is_no_address_is_refused_in_the_settings_without_repeating_it(url):
    with pytest.raises(ValueError, match="must look like `redis://"):
        Settings(_env_file=None, redis_url=url)
