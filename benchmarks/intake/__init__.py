"""The intake of alerts: the gateway's rate, and storms of which nothing may be lost or doubled."""
