"""What the processes of a cluster share: logs in Kafka, the rest in PostgreSQL."""
