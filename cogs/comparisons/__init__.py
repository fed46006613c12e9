"""A comparison in a chat: the commands, its card, the message that shows it."""
