"""Short messages that go out, by SMS and chat: put into the log with the change that causes them, sent by a worker."""
