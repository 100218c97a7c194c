"""Discovery and server selection: pure functions over immutable descriptions."""
