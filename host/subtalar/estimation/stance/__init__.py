"""The foot at rest, quiet standing, and how sensors sit on their segments."""
