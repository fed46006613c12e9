"""Choose who is next, when, and what follows a failure: pure pieces, and the executors that run jobs."""
