class ProtocolError(Exception): pass
