"""A worker of a cluster: folds the partitions that Kafka assigns to it."""
