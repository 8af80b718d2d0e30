"""Plain SQL for the attached database: what an auditor runs in any client, and the rights of two accounts."""
