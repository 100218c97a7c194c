"""Connection strings and the options of a client, wherever they are given."""

from driver.uri.parse import ParsedURI, is_uri, parse_host, parse_hosts, parse_uri

__all__ = ["ParsedURI", "is_uri", "parse_host", "parse_hosts", "parse_uri"]
