"""What gets the schema of a database from one version to another."""
