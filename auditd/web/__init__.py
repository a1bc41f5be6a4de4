"""What is served over HTTP: metrics, health and a landing page."""
