"""Commands for operators: stuck workflows, maintenance windows."""
