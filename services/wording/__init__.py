"""Uses of a text engine: prompts written more fully, words for pictures. Without one, rules do what they can."""
