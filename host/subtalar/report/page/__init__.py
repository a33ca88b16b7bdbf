"""The page of a report: what it says, its pictures, its layout."""
