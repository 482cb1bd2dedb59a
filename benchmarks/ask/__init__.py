"""`pixel-env ask`: one question about one image or video."""
