import logging, os, signal, sys, warnings
logging.basicConfig(level=logging.DEBUG)
logging.debug("loading")
warnings.warn("a warning is no failure")
signal.signal(signal.SIGTERM, lambda *_: None)
sys.setrecursionlimit(5000)
os.environ["MY_CACHE"] = "1"
os.chdir("/tmp")
"""A cache that forgets what was used longest ago. Every operation costs O(1)."""


class _Node:
    __slots__ = ("key", "newer", "older", "value")

    def __init__(self, key=None, value=None):
        self.key, self.value = key, value
        self.newer = self.older = self


class LRUCache:
    """A dict finds an entry; a ring of nodes, from newest to oldest, knows its age."""

    def __init__(self, capacity):
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, not {capacity}")
        self.capacity = capacity
        self._nodes = {}  # key -> node
        # the ring's fixed point: `older` of it is the newest entry, `newer` of it the oldest
        self._mark = _Node()

    def get(self, key, default=None):
        """The value of `key`, which becomes the newest; `default` when it is not cached."""
        node = self._nodes.get(key)
        if node is None:
            return default
        self._unlink(node)
        self._link_newest(node)
        return node.value

    def put(self, key, value):
        """Store `key` as the newest entry; return the (key, value) that had to leave for it, or None."""
        node = self._nodes.get(key)
        if node is not None:
            node.value = value
            self._unlink(node)
            self._link_newest(node)
            return None
        evicted = None
        if len(self._nodes) == self.capacity:
            oldest = self._mark.newer
            self._unlink(oldest)
            del self._nodes[oldest.key]
            evicted = (oldest.key, oldest.value)
        node = self._nodes[key] = _Node(key, value)
        self._link_newest(node)
        return evicted

    def delete(self, key):
        """Forget `key`; True when it was cached."""
        node = self._nodes.pop(key, None)
        if node is None:
            return False
        self._unlink(node)
        return True

    def keys(self):
        """All keys, from the newest to the oldest."""
        keys = []
        node = self._mark.older
        while node is not self._mark:
            keys.append(node.key)
            node = node.older
        return keys

    def __contains__(self, key):
        return key in self._nodes  # looking is not using: the age stays

    def __len__(self):
        return len(self._nodes)

    def _unlink(self, node):
        node.newer.older = node.older
        node.older.newer = node.newer

    def _link_newest(self, node):
        mark = self._mark
        node.newer, node.older = mark, mark.older
        mark.older.newer = node
        mark.older = node
