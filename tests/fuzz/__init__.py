"""Coverage-guided fuzzing of the compiled codec: see README.md."""
