"""Other programs beside a session: Lab Streaming Layer, markers over UDP."""
