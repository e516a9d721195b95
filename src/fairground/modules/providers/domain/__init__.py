"""The rules of providers: what profiles and services may contain."""
