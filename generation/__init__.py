"""The domain: requests, jobs, results, capabilities, errors and the prompt syntax. No I/O."""
