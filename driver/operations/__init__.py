"""Commands as values: what to send, how to read the reply, how it may be retried."""
