"""Agents: chat formats, engines, the core loop and the trainers. torch and its kin are imported here and only here."""
