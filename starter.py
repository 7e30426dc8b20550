"""Bring an alert to its incident: `python starter.py alert.json`."""

from incidents.app.starter import app

if __name__ == "__main__":
    app()
