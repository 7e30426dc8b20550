"""The Slack app, on Bolt: commands, buttons, modals, shortcuts, App Home; over Socket Mode or signed HTTP."""
