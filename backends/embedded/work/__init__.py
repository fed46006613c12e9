"""The child process that draws: its orders, the ladder it climbs down where memory is short, and its maker."""
