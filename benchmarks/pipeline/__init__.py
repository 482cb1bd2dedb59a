"""Jobs in stages, each in a process of its own, kept so that an interrupted study resumes."""
