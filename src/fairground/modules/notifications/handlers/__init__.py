"""Handlers of events and jobs: notifiers write notifications, the email sender mails them."""
