"""What happens between an operation and the sockets, written once, as `async def`."""
