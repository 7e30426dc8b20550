"""The subcommands of `incident`; each module is imported when it is called."""
