"""Where a request comes from: the address of the connection, or what our own proxies say of it."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope

from bot.webchat.identity import network_of

MOST_HOPS = 20


class Addresses:
    """Knows which proxies are ours; nobody else's `X-Forwarded-For` is read."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted = [ip_network(network, strict=False) for network in trusted]

    def network(self, scope: Scope) -> str:
        """What to count a request under."""
        client = scope.get("client")
        address = str(client[0]) if client else ""
        if self._is_ours(address):
            hops = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
            for hop in reversed([hop.strip() for hop in hops][-MOST_HOPS:]):
                if not hop:
                    break
                address = hop
                if not self._is_ours(hop):
                    break
        return network_of(address)

    def _is_ours(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed.version == network.version and parsed in network for network in self._trusted)
