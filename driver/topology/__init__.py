"""Discovery and selection as pure functions over immutable descriptions (SDAM, server selection)."""
