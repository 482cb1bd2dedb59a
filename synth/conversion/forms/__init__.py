"""Forms of rows in which other programs keep demonstrations or tasks; one file each."""
