"""What may come through the socket: the few kinds of frames that the page sends; nothing else reaches Socket.IO."""

import re

from socketio.packet import EVENT, Packet
from starlette.types import Message, Receive

_KNOWN = re.compile(r'3|40(?:\{.*)?|41|42\d{0,9}\[".*', re.DOTALL)
"""An answer to a ping, a greeting, a farewell, and an event with a name and perhaps a number to acknowledge."""
_POLICY_VIOLATION = 1008


def only_known_frames(receive: Receive) -> Receive:
    """A socket's `receive` that hangs up on whoever sends anything else."""

    async def receive_known() -> Message:
        message = await receive()
        if message["type"] == "websocket.receive" and not _KNOWN.fullmatch(message.get("text") or ""):
            return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION, "reason": "unknown frame"}
        return message

    return receive_known


class Frame(Packet):  # type: ignore[misc]
    """A Socket.IO packet; one that cannot be read is an event that nobody handles, instead of an error in the log."""

    def decode(self, encoded_packet: str) -> int:
        """Read a packet; returns how many binary attachments follow, which is none."""
        try:
            super().decode(encoded_packet)
        except (ValueError, RecursionError):
            self.packet_type, self.namespace, self.id, self.data = EVENT, None, None, ["unreadable"]
        return 0
