"""New recordings from old ones: shorter, or joined; every message keeps its bits."""
