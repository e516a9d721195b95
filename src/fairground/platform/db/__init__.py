"""The database: transactions, types, dialects, migrations."""
