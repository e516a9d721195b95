"""What every module stands on and which knows no module: database, jobs, HTTP, mail, limits."""
