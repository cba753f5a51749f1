"""``python -m gateway`` is ``shenhou``."""

from gateway.cli import main

main()
