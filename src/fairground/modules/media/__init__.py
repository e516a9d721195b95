"""Media: pictures that people bring, judged, and made fit for pages."""
