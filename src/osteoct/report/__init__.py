"""The report somebody looks at for ten seconds: figures and one HTML file."""
