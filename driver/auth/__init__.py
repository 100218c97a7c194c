"""Authentication as pure step machines (auth spec): nothing here does input or output."""
