"""Progress of a job: two sources, and what is made of them while it runs."""
