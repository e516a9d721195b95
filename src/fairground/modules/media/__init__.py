"""Media: uploaded pictures, checked, stored, and rendered in the sizes that pages show."""
