"""What comes in by HTTP: proven to come from whom it says, and understood. It knows no HTTP framework."""
