"""One step each; pipeline.topology composes them."""
