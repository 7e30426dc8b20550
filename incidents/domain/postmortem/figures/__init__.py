"""The impact of incidents in figures and charts."""
