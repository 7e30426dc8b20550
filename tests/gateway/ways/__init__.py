"""One incident by each way in alone: Slack, the phone, the API, and the command line with Alertmanager."""
