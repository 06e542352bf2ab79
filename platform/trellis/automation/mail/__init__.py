"""Mail that goes out: letters in our look, put into the queue with the change that causes them, sent by a worker."""
