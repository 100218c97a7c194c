"""A MongoDB driver written to be read: pure core, one engine, a sync and an asyncio shell."""
