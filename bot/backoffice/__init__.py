"""The company's own system: accounts, invoices, engineer visits and outages."""
