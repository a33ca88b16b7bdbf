"""The window. Importing anything here loads Qt."""
