"""The team's receiver and its pages: events come in by Segment's protocol, a browser looks at them.

It needs the extra `server`, and imports nothing that runs beside make.
"""
