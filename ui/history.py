"""What the History page shows."""
