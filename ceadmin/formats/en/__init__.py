"""English: 12 March 2026, 14:03."""
