"""Business modules. Each knows kernel, platform and contracts, never another module."""
