"""Frames of video files, decoded by whichever library is installed.

`video.py` says what an open video gives, a file of its own each library's decoder, `decoders.py` which one is used,
`clips.py` the frames of segments that are shown. docs/media.md has the rules. Depends on video decoders; independent of
tasks, episodes and models.
"""
