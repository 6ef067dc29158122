EVIL = "\x1b[2J\x1b]0;owned\x07\x1b[31m[red]PASSED[/red] [/x] \u202eemoc\u202c \x9b31m \r\x08\x00 list[int]"
print(EVIL)

class LRUCache:
    def __init__(self, capacity):
        if capacity < 1:
            raise ValueError
    def get(self, key, default=None): return default
    def put(self, key, value): return None
    def delete(self, key): return True
    def keys(self): return []
    def __contains__(self, key): return False
    def __len__(self): return 1
    def put(self, key, value): raise ValueError(EVIL)
