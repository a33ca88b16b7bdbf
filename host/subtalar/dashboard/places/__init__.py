"""The places of the window, a folder each: a model without Qt, and a view that pulls from it. None knows another."""
