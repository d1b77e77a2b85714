"""Speed figures, each beside its goal; `forewarn bench` runs them."""
