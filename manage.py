#!/usr/bin/env python
"""Run one of ceadmin's commands: `manage.py help` lists them."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Hand the command line to Django with ceadmin's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ceadmin.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
