"""What the clinician sees: a Qt-free model, Qt views and a terminal view that pull from it."""
