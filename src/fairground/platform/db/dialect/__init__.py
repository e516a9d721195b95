"""The only place that says sqlite or postgres."""
