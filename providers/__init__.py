"""What ceadmin knows of OAuth providers: records as data, and how to read them."""
