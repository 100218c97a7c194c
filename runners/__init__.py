"""The conformance harness: runs spec files against a driver on real deployments."""
