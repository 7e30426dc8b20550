"""Inbound HTTP: alert webhooks, Slack, PagerDuty and GitHub, and the web pages."""
