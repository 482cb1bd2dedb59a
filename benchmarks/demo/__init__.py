"""`pixel-env demo` and `eval-demo`: the main job on the embedded model, with a report."""
