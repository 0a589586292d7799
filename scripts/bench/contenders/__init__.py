"""Those who do the jobs, one file each."""
