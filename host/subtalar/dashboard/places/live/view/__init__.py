"""The place as the window shows it. Importing anything here loads Qt."""
