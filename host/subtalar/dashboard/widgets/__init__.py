"""What the places of the window have in common. Importing anything here loads Qt."""
