"""One sensor's life: connect, configure, stream, watch, reconnect; its clock stamps and its ledger."""
