"""Events come in; messages for the outbox and requests to sinks go out.

`outgoing` decides which events may leave, and makes their messages. `delivery` sends the messages that wait.
"""
