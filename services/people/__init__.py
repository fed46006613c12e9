"""Who is at the door, what they may see and change, how much they may bring, and how they are forgotten."""
