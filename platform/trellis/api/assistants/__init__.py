"""What an AI assistant connects to: the Model Context Protocol at `/mcp`, over the same door as pages and API.

The official Python SDK is an ASGI server with an event loop of its own; Trellis is WSGI, and every tool here is a
few calls of the door. So the transport is ours and small (transport.py, protocol.py), and the SDK's client is what
the tests ask it with. It keeps no sessions: each request stands for itself, in the protocol's revision of 2026-07-28
and, with a handshake before, in those since 2024-11-05.
"""
