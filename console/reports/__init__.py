"""Reports on a back-test: figures, plots, comparisons, what-if."""
