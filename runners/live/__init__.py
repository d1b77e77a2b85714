"""An embedded site that is live: intake, engine, delivery, on one data directory."""
