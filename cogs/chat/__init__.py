"""*Draw this chat*: a picture of a conversation, with the consent of those who are quoted."""
