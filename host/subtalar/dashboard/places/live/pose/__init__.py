"""Both legs as faces in space, and how a viewer sees them. No Qt."""
