"""Plans of traces: which operations, which deliberate mistakes, in which mix."""
