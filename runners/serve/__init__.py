"""A server of a cluster: console, API, intake, duties under leases."""
