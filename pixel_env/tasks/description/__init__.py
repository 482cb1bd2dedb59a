"""What a task set holds: figures for people, and a page with some of its rows (`pixel-env data describe`)."""
