"""People: who is at the door, what they may see, change and bring, and how they are forgotten."""
