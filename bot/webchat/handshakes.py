"""A socket's handshake that cannot be read is answered."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class AnsweredHandshakes(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which leaves who sends a line above 8 kB (long cookies are enough) waiting for ever.

    The answer (431 or 400) is there, made by `websockets`; uvicorn 0.54 does not send it.
    """

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
