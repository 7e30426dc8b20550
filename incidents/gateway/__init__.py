"""Inbound HTTP: alert webhooks, Slack, PagerDuty and GitHub."""
