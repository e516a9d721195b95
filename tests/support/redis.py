"""Names for tests that share one Redis. A test that ends, freezes or fills a server owns one (`OwnedServer`)."""

import uuid


def fresh_namespace() -> str:
    """Return a unique prefix of keys and channels."""
    return f"test-{uuid.uuid4().hex[:12]}"
