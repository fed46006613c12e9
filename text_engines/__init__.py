"""Text engines: language models that write prompts more fully and find words for pictures. They draw nothing."""
