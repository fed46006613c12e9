"""Money: what a request costs, what may be spent in a day, and the books of both."""
