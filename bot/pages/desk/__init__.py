"""The desk's page: sign-in, lists, chats and what an agent does in them."""
