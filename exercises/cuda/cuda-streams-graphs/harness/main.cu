// Runs jobs by the functions of overlap.cu on what arrives on the standard input, and prints what came of them.
//
// A request is a line, and J times N numbers of 32 bits:
//   jobs J N CHUNK ROUNDS     J jobs, one behind the other in one stream, with nobody waiting in between. In the same stream
//                             x is made before each job, and y is taken away behind it: both by copies
//   graph J N CHUNK ROUNDS    the same, but from the second on as launches of a graph that was made once, between the first
//                             job, which is enqueued, and the second
// The answer is a line
//   RECORDED FINISHED GUARDS
// and then, when RECORDED and FINISHED are both cudaSuccess, for each job N numbers of y and the digest: what enqueue or
// record returned, what waiting for the stream returned, and how many numbers behind y were changed.
//
// With the arguments `serve N CHUNK ROUNDS` it serves timed calls, one line each:
//   draw SEED    x[i] = SEED + i * 2654435761, and y is overwritten
//   serial, enqueue, replay    one chunk after the other in one stream; enqueue; a launch of a graph: and waits for it
//   peek I       the digest and y[I]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "overlap.cuh"

namespace {

constexpr size_t guard = 64;               // numbers behind y
constexpr unsigned char fill = 0xA5;       // every byte that nobody has written

void must(cudaError_t error, const char *what)
{
    if (error == cudaSuccess)
        return;
    fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
    exit(4);
}

uint32_t *on_device(size_t count)
{
    uint32_t *memory;
    must(cudaMalloc(&memory, count * sizeof(uint32_t)), "cudaMalloc");
    must(cudaMemset(memory, fill, count * sizeof(uint32_t)), "cudaMemset");
    return memory;
}

uint32_t *on_host(size_t count)
{
    void *memory = host_memory(count * sizeof(uint32_t));
    if (!memory) {
        printf("host_memory gives nothing\n");
        fflush(stdout);
        _Exit(0);
    }
    memset(memory, fill, count * sizeof(uint32_t));
    return static_cast<uint32_t *>(memory);
}

struct Bench {
    Room room;
    Job job;
    cudaStream_t stream;
    Overlap *overlap;

    Bench(size_t n, size_t chunk, unsigned rounds)
    {
        for (int s = 0; s < slots; s++)
            room.in[s] = on_device(chunk), room.out[s] = on_device(chunk);
        room.carry = on_device((n + chunk - 1) / chunk + 1);
        room.chunk = chunk;
        job = {on_host(n + 1), on_host(n + guard), on_host(1), n, rounds};
        must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
        overlap = create();
        must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    }
    ~Bench()
    {
        destroy(overlap);
        must(cudaStreamDestroy(stream), "cudaStreamDestroy");
        host_release(const_cast<uint32_t *>(job.x));
        host_release(job.y);
        host_release(job.digest);
        for (int s = 0; s < slots; s++)
            must(cudaFree(room.in[s]), "cudaFree"), must(cudaFree(room.out[s]), "cudaFree");
        must(cudaFree(room.carry), "cudaFree");
    }
    uint32_t *x() { return const_cast<uint32_t *>(job.x); }
    cudaError_t put() { return enqueue(*overlap, room, job, stream); }
    cudaError_t make(cudaGraphExec_t *graph) { return record(*overlap, room, job, stream, graph); }
};

void answer(cudaError_t recorded, cudaError_t finished, size_t guards)
{
    printf("%s %s %zu\n", cudaGetErrorName(recorded), cudaGetErrorName(finished), guards);
    if (recorded == cudaSuccess && finished == cudaSuccess)
        return;
    fflush(stdout);
    _Exit(0);  // an error may have taken the whole context with it
}

void jobs(bool as_graph, size_t count, size_t n, size_t chunk, unsigned rounds)
{
    std::vector<uint32_t> numbers(count * n + 1), results(count * (n + 1));
    if (fread(numbers.data(), sizeof(uint32_t), count * n, stdin) != count * n)
        exit(5);
    Bench bench(n, chunk, rounds);
    uint32_t *sources = on_device(count * n + 1), *sinks = on_device(count * (n + 1));
    must(cudaMemcpy(sources, numbers.data(), count * n * sizeof(uint32_t), cudaMemcpyHostToDevice), "cudaMemcpy");
    must(cudaDeviceSynchronize(), "cudaDeviceSynchronize");

    cudaGraphExec_t graph = nullptr;
    for (size_t j = 0; j < count; j++) {
        if (as_graph && j == 1) {
            // between two jobs, so that a graph that begins or ends too early meets what is around it
            cudaError_t recorded = bench.make(&graph);
            if (recorded != cudaSuccess)
                answer(recorded, cudaSuccess, 0);
        }
        if (n)
            must(cudaMemcpyAsync(bench.x(), sources + j * n, n * sizeof(uint32_t), cudaMemcpyDeviceToHost, bench.stream),
                "making x");
        cudaError_t put = graph ? cudaGraphLaunch(graph, bench.stream) : bench.put();
        if (put != cudaSuccess)
            answer(put, cudaSuccess, 0);
        uint32_t *sink = sinks + j * (n + 1);
        if (n)
            must(cudaMemcpyAsync(sink, bench.job.y, n * sizeof(uint32_t), cudaMemcpyHostToDevice, bench.stream), "taking y");
        must(cudaMemcpyAsync(sink + n, bench.job.digest, sizeof(uint32_t), cudaMemcpyHostToDevice, bench.stream),
            "taking the digest");
    }
    cudaError_t finished = cudaStreamSynchronize(bench.stream);
    size_t guards = 0;
    if (finished == cudaSuccess) {
        uint32_t untouched;
        memset(&untouched, fill, sizeof untouched);
        for (size_t i = n; i < n + guard; i++)
            guards += bench.job.y[i] != untouched;
        must(cudaMemcpy(results.data(), sinks, results.size() * sizeof(uint32_t), cudaMemcpyDeviceToHost), "cudaMemcpy");
    }
    answer(cudaSuccess, finished, guards);
    fwrite(results.data(), sizeof(uint32_t), results.size(), stdout);
    if (graph)
        must(cudaGraphExecDestroy(graph), "cudaGraphExecDestroy");
    must(cudaFree(sources), "cudaFree");
    must(cudaFree(sinks), "cudaFree");
}

// What overlap is compared with: each chunk comes, is worked on and leaves before the next comes.
cudaError_t serial(Bench &bench)
{
    const Room &room = bench.room;
    const Job &job = bench.job;
    cudaMemsetAsync(room.carry, 0, ((job.n + room.chunk - 1) / room.chunk + 1) * sizeof(uint32_t), bench.stream);
    uint32_t *carry = room.carry;
    for (size_t from = 0; from < job.n; from += room.chunk, carry++) {
        size_t count = job.n - from < room.chunk ? job.n - from : room.chunk, bytes = count * sizeof(uint32_t);
        cudaMemcpyAsync(room.in[0], job.x + from, bytes, cudaMemcpyHostToDevice, bench.stream);
        launch_work(room.in[0], room.out[0], count, job.rounds, carry, carry + 1, bench.stream);
        cudaMemcpyAsync(job.y + from, room.out[0], bytes, cudaMemcpyDeviceToHost, bench.stream);
    }
    return cudaMemcpyAsync(job.digest, carry, sizeof(uint32_t), cudaMemcpyDeviceToHost, bench.stream);
}

int serve(size_t n, size_t chunk, unsigned rounds)
{
    Bench bench(n, chunk, rounds);
    cudaGraphExec_t graph = nullptr;
    char line[128], word[16];
    unsigned long long argument;
    while (fgets(line, sizeof line, stdin)) {
        argument = 0;
        if (sscanf(line, "%15s %llu", word, &argument) < 1)
            return 5;
        if (strcmp(word, "draw") == 0) {
            for (size_t i = 0; i < n; i++)
                bench.x()[i] = (uint32_t)argument + (uint32_t)i * 2654435761u;
            memset(bench.job.y, fill, n * sizeof(uint32_t));
            memset(bench.job.digest, fill, sizeof(uint32_t));
            if (!graph)
                must(bench.put(), "enqueue"), must(cudaDeviceSynchronize(), "enqueue"), must(bench.make(&graph), "record");
            memset(bench.job.y, fill, n * sizeof(uint32_t));
            printf("ok\n");
        } else if (strcmp(word, "peek") == 0) {
            printf("%u %u\n", *bench.job.digest, bench.job.y[argument]);
        } else {
            cudaError_t put = strcmp(word, "serial") == 0    ? serial(bench)
                              : strcmp(word, "enqueue") == 0 ? bench.put()
                                                             : cudaGraphLaunch(graph, bench.stream);
            must(put, word);
            must(cudaStreamSynchronize(bench.stream), word);
            printf("done\n");
        }
        fflush(stdout);
    }
    return 0;
}

}  // namespace

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "serve") == 0)
        return serve(strtoull(argv[2], nullptr, 10), strtoull(argv[3], nullptr, 10), (unsigned)atoi(argv[4]));
    char line[128], mode[16];
    while (fgets(line, sizeof line, stdin)) {
        size_t count, n, chunk;
        unsigned rounds;
        if (sscanf(line, "%15s %zu %zu %zu %u", mode, &count, &n, &chunk, &rounds) != 5)
            exit(5);
        jobs(strcmp(mode, "graph") == 0, count, n, chunk, rounds);
    }
    fflush(stdout);
    return 0;
}
