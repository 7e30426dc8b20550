"""What this program shows of itself to the outside: metrics, logs, traces."""
