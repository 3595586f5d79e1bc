"""What is kept about receivers, across senders and projects."""
