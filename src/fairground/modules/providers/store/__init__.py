"""Every SQL statement of the catalog: functions, transaction first."""
