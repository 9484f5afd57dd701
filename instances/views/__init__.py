"""Pages outside the admin, for people who reconnect an instance and members who help them."""
