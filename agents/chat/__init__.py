"""Chat formats: conversations as token ids, with their pixel features."""
