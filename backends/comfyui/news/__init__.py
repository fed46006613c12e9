"""How far a job is: two sources, and what is made of them while it runs."""
