"""Why a warning is as it is, told from logs and store."""
