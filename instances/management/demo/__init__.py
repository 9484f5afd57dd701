"""The demo: its world, its drills and the table that is printed of them."""
