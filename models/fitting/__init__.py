"""What only the trainer imports: learners fitted with scikit-learn or river and exported to plain arrays."""
