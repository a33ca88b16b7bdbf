"""What every other room computes with: compiled loops, quaternions, filters, rows that are kept for a while."""
