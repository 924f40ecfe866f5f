"""How a web process meets the network: deadlines, caps, a quiet end. It knows ASGI and uvicorn, no framework and no database.

Whatever a client does or leaves undone, it holds up nobody but itself: see `bounds` for how long and how much,
`protocol` for where that is kept, `server` for how a process ends without losing a request.
"""
