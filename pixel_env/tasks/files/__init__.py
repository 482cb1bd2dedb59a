"""Files that hold tasks and media: rows, images, clips, archives, locks."""
