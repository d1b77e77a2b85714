"""The shells: they move frames through the topology and deliver what it says; they decide nothing."""
