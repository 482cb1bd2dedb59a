"""Plans of traces: which operations, which deliberate mistakes, and in which mix."""
