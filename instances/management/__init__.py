"""Commands of instances and runs, and the demo."""
