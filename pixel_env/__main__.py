"""`python -m pixel_env` is the command `pixel-env`."""

import sys

from pixel_env.cli import main

if __name__ == "__main__":
    sys.exit(main())
