"""The REST API under `/api/v1`, its socket, and the widget: views of the same log and turn as the chat."""
