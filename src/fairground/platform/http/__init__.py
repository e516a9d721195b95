"""HTTP: the application, its middleware, problem documents and identity."""
