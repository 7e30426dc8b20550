"""Paging and on-call schedules."""
