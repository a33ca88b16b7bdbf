"""The window around the places. Importing anything here loads Qt."""
