"""The demonstration: a simulated city and its scoreboard."""
