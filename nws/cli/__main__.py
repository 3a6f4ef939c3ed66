"""``python -m nws.cli``: what the workflow's jobs run."""

import sys

from nws.cli import main

sys.exit(main())
