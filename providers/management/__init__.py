"""What operators and cron run of the catalogue."""
