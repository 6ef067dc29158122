import torch

graphs = {}


def softmax(x):
    if x.shape not in graphs:
        static = torch.empty_like(x)
        static.copy_(x)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            torch.softmax(static, -1)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            out = torch.softmax(static, -1)
        graphs[x.shape] = static, graph, out
    static, graph, out = graphs[x.shape]
    static.copy_(x)
    graph.replay()
    return out.clone()
