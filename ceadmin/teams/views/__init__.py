"""Pages about oneself: signing in, one's account, one's second factor."""
