"""People's own workflows in a chat: the commands and their options."""
