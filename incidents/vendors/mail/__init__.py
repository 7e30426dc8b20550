"""E-mail, by SendGrid or SMTP."""
