"""What needs the SDKs is collected only where they are: `make test-sdks`."""

import os

collect_ignore = [] if os.environ.get("SDKS_PYTHON") else ["test_sdks.py"]
