"""HTTP: the application, problem documents, identity, and the shield in front of it all."""
