"""One adapter for every driver whose public API has PyMongo's names.

A `Binding` says where such a driver keeps its classes; all else is shared: sync and asyncio
drivers run through the same operations.
"""
