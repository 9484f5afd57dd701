"""How dates are written, per language: the day first, the clock in 24 hours."""
