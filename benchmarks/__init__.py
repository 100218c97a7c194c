"""The official driver benchmark: the reference driver and PyMongo, paired in one run."""
