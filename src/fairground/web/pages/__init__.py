"""One module for each area of the site: `routes(…)` gives its router."""
