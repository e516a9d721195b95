"""Every SQL statement of providers: functions, transaction first."""
