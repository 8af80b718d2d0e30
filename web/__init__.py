"""What the API and the server share of HTTP: guards, shapes, health."""
