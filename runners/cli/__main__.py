"""`python -m runners.cli` is `mongospec`."""

from runners.cli import main

main(prog_name="mongospec")
