"""The base of JSON request bodies: `kernel.inputs`, whose models a contract shares between API and pages."""

from fairground.kernel.inputs import Input, text_field

__all__ = ["Body", "text_field"]

Body = Input
