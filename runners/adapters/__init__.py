"""Drivers under test, each behind the same small protocol."""
