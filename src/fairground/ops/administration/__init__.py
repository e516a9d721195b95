"""The installation for staff: jobs, dead letters and facts."""
