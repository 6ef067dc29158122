from collections import OrderedDict, namedtuple
Entry = namedtuple("Entry", "key value")
class LRUCache(OrderedDict):
    def __init__(self, capacity):
        if capacity < 1: raise ValueError("capacity")
        super().__init__(); self.capacity = capacity
    def get(self, key, default=None):
        if key not in self: return default
        self.move_to_end(key); return self[key]
    def put(self, key, value):
        out = Entry(*self.popitem(last=False)) if key not in self and len(self) == self.capacity else None
        self[key] = value; self.move_to_end(key); return out
    def delete(self, key):
        found = key in self
        self.pop(key, None)
        return found
    def keys(self): return list(reversed(self))
