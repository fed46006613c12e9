"""A job in a chat: its card, the message that shows it, its buttons and forms."""
