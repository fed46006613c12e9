"""Who is next, when, and what after a failure: pure pieces, and the executors that run jobs."""
