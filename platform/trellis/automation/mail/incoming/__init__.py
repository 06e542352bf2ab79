"""Mail that comes in: read from mailboxes, understood, and put to what it is about; each message once."""
