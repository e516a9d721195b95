"""Generated pictures: one seed, one SVG, until a provider uploads a photograph."""
