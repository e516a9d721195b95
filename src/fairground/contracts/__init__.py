"""All that one module may know of another. A change here is a change of API."""
