"""A whole incident, from its alert to its published post-mortem, while every process and every vendor fails."""
