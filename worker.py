"""The worker: `python worker.py`."""

from incidents.app.worker import main

if __name__ == "__main__":
    main()
