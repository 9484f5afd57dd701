"""`manage.py` commands of instances and runs."""
