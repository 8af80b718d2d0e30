"""Many customers at once: jobs, kept in the database, done in batches by one worker thread a process."""
