"""Analysis of a whole session: tables and one self-contained page."""
