"""What `lint` asks of a file beyond its text: its format's schema, then its meaning."""
