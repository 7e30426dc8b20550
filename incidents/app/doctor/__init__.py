"""`incident doctor`: read Temporal, the integrations and the runbook, each check for itself and within a bound."""
