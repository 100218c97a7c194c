"""The specs' prose tests: a module a spec, its tests numbered as the spec numbers them."""
