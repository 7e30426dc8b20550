"""What every rule builds on: values, time, text."""
