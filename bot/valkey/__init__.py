"""What the processes share, on a server that speaks Redis: Redis or Valkey by address, or an embedded Valkey."""
