"""Shows operators what the service does: log lines without secrets, and metrics without customers."""
