"""What a tree of modules should do, written without modules: plain nodes, walked by one class."""


class Refused(Exception):
    """The backward pass has no recorded forward pass."""


class Node:
    def __init__(self, path):
        self.path = path
        self.parameters = {}  # name -> Cell
        self.children = {}  # name -> Node
        self.training = True
        self.hooks = {"forward_pre": [], "forward": [], "backward": []}  # numbers, in order


class Cell:
    def __init__(self, path, data):
        self.path, self.data, self.grad = path, data, 0


class Model:
    def __init__(self, tree):
        self.modules, self.cells = {}, {}
        self.root = self._build(tree, "")
        self.handles = []  # number -> (node, kind, does, what)
        self.events = []
        self.recorded = False

    def _build(self, tree, path):
        if isinstance(tree, str):
            return self.modules[tree[1:]]
        node = Node(path)
        join = f"{path}." if path else ""
        if isinstance(tree, dict):
            node.children = {name: self._build(part, join + name) for name, part in tree.items()}
        else:
            for name, value in zip("wb", tree, strict=True):
                if not isinstance(value, str):
                    self.cells[join + name] = Cell(join + name, value)
                node.parameters[name] = self.cells[value[1:] if isinstance(value, str) else join + name]
        self.modules[path] = node
        return node

    def _walk(self, node, path=""):
        yield path, node
        for name, child in node.children.items():
            yield from self._walk(child, f"{path}.{name}" if path else name)

    def _cells(self):
        for path, node in self._walk(self.root):
            for name, cell in node.parameters.items():
                yield f"{path}.{name}" if path else name, cell

    @staticmethod
    def _once(pairs):
        seen = []
        for path, thing in pairs:
            if not any(thing is other for other in seen):
                seen.append(thing)
                yield path, thing

    def named_parameters(self):
        return [[path, cell.data, cell.path] for path, cell in self._once(self._cells())]

    def named_modules(self):
        return [[path, node.path] for path, node in self._once(self._walk(self.root))]

    def state(self):
        return {path: cell.data for path, cell in self._cells()}

    def load(self, state):
        for path, cell in self._cells():
            cell.data = state.get(path, cell.data)

    def set_all(self, draw):
        for cell in self.cells.values():
            cell.data = draw()

    def held(self):
        return {path: cell.data for path, cell in self.cells.items()}

    def grads(self):
        return {path: cell.grad for path, cell in self.cells.items()}

    def train(self, path, mode):
        for _, node in self._walk(self.modules[path]):
            node.training = mode

    def training(self):
        return {path: node.training for path, node in self.modules.items()}

    def hook(self, path, kind, does="look", what=None):
        number = len(self.handles)
        node = self.modules[path]
        self.handles.append((node, kind, does, what))
        node.hooks[kind].append(number)
        return number

    def remove(self, number):
        node, kind, _, _ = self.handles[number]
        if number in node.hooks[kind]:
            node.hooks[kind].remove(number)

    def _run_hooks(self, node, kind, values):
        """The last of `values` is what is passed on, but for a backward hook: there it is the first."""
        at = 0 if kind == "backward" else -1
        for number in list(node.hooks[kind]):
            if number not in node.hooks[kind]:
                continue
            _, _, does, what = self.handles[number]
            self.events.append((number, node.path, *values))
            if does == "add":
                values[at] += what
            elif does == "return":
                values[at] = what
            elif does == "remove" and what < len(self.handles):
                self.remove(what)
            elif does == "hook":
                self.hook(*what)
        return values[at]

    def _forward(self, node, x):
        x = self._run_hooks(node, "forward_pre", [x])
        if node.parameters:
            node.x = x
            y = node.parameters["w"].data * x + node.parameters["b"].data
        else:
            y = x
            for child in node.children.values():
                y = self._forward(child, y)
        return self._run_hooks(node, "forward", [x, y])

    def _backward(self, node, grad_output):
        if node.parameters:
            w, b = node.parameters["w"], node.parameters["b"]
            w.grad += grad_output * node.x
            b.grad += grad_output
            grad_input = w.data * grad_output
        else:
            grad_input = grad_output
            for child in reversed(node.children.values()):
                grad_input = self._backward(child, grad_input)
        return self._run_hooks(node, "backward", [grad_input, grad_output])

    def forward(self, x):
        self.recorded = True
        return self._seen(self._forward(self.root, x))

    def forward_no_grad(self, x):
        result = self.forward(x)
        self.recorded = False
        return result

    def backprop(self, grad):
        if not self.recorded:
            raise Refused
        return self._seen(self._backward(self.root, grad))

    def _seen(self, result):
        events, self.events = self.events, []
        return [result, events]
