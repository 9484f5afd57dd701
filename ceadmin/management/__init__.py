"""Commands of the project, and the processes that `up` runs."""
