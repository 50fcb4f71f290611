"""Who is online, as rules: no HTTP, no database, no broker in here."""
