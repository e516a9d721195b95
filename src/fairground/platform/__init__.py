"""What every module uses and what knows no module: database, jobs, HTTP, mail, limits."""
