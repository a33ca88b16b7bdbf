"""The first place: what is measured at this moment, what to do, and whose session it is."""
