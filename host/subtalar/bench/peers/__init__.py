"""Other software on the same trials: told what ours has to find out by itself."""
