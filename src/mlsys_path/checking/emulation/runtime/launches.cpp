// From <<<…>>> to the scheduler.
#include <cstring>
#include <map>

#include "errors.h"
#include "memory.h"
#include "streams.h"

namespace mlsys {

namespace {

std::map<std::string, Kernel> kernels;
std::map<const void *, unsigned> dynamic_limits;
unsigned any_dynamic_limit = 0;
std::string launches;  // JSON
size_t launches_count = 0;
constexpr size_t most_launches = 20000;

unsigned limit_of(const void *kernel)
{
    if (!kernel)
        return any_dynamic_limit;
    auto found = dynamic_limits.find(kernel);
    return found == dynamic_limits.end() ? 0 : found->second;
}

// What is wrong with the shape of a launch, as a kind of error; null when nothing is.
const char *wrong_shape(const Request &r)
{
    unsigned long long threads = (unsigned long long)r.block.x * r.block.y * r.block.z;
    if (threads == 0 || threads > most_threads || r.block.x > 1024 || r.block.y > 1024 || r.block.z > 64)
        return "launch-block";
    if (!r.grid.x || !r.grid.y || !r.grid.z || r.grid.x > 2147483647u || r.grid.y > 65535 || r.grid.z > 65535)
        return "launch-grid";
    unsigned asked = limit_of(r.address);
    if (r.shared > (asked > static_limit ? asked : static_limit))
        return "launch-shared";
    if ((unsigned long long)r.grid.x * r.grid.y * r.grid.z > 0x3fffff)
        return "launch-too-large";
    return nullptr;
}

bool tolerant()
{
    const char *value = getenv("MLSYS_LAUNCH_ERRORS");
    return value && !strcmp(value, "return");
}

}  // namespace

Kernel &kernel_named(const char *name)
{
    Kernel &kernel = kernels[name];
    if (kernel.name.empty())
        kernel.name = name;
    return kernel;
}

const std::map<std::string, Kernel> &all_kernels() { return kernels; }
const std::string &launches_as_json() { return launches; }

}  // namespace mlsys

using namespace mlsys;

extern "C" void mlsys_launch(const Request *request, const Call *call)
{
    const Request &r = *request;
    // the parameters live as long as the launch, or the graph that holds it
    auto held = std::shared_ptr<const Call>(new Call(*call), [](const Call *c) { c->destroy(c->self), delete c; });
    if (now)
        fail("launch-in-kernel", Json().put("kernel", r.name).put("at", r.at));
    if (const char *kind = wrong_shape(r)) {
        if (tolerant() && strcmp(kind, "launch-too-large") != 0) {
            set_error(cudaErrorInvalidConfiguration);
            return;
        }
        Json json;
        json.put("kernel", r.name).put("at", r.at).put("grid", uint3(r.grid)).put("block", uint3(r.block));
        unsigned asked = limit_of(r.address);
        fail(kind, json.put("dynamic", (unsigned long long)r.shared).put("limit", asked > static_limit ? asked : static_limit));
    }
    CUstream_st *stream = stream_of(r.stream);
    if (!stream)
        fail("bad-stream", Json().put("kernel", r.name).put("at", r.at));
    Task task;
    task.shape.work = Work::kernel, task.shape.name = r.name, task.shape.at = r.at;
    std::vector<const void *> pointers(r.pointers, r.pointers + r.arguments);
    unsigned asked = limit_of(r.address);
    task.act = [r = Request(r), held, pointers, asked](const Operation &operation) {
        Running launch;
        launch.kernel = &kernel_named(operation.name.c_str());
        launch.kernel->launches++;
        launch.grid = r.grid, launch.block = r.block, launch.dynamic = (unsigned)r.shared, launch.at = operation.at;
        launch.shared_limit = asked > static_limit ? opt_in_limit : static_limit;
        launch.call = *held;
        launch.pointers = pointers;
        begin_ordered(launch, operation);
        if (launches_count++ < most_launches) {
            Json json;
            json.put("kernel", operation.name).put("grid", uint3(r.grid)).put("block", uint3(r.block));
            json.put("shared", launch.dynamic).put("stream", operation.stream).put("operation", operation.number);
            json.put("line", operation.at);
            launches += (launches.empty() ? "" : ",") + json.text();
        }
        run(launch);
        launch.kernel->static_shared = std::max(launch.kernel->static_shared, launch.static_used);
    };
    submit(r.stream, task);
}

namespace mlsys {

cudaError_t set_attribute(const void *kernel, cudaFuncAttribute attribute, int value)
{
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize)
        return cudaSuccess;
    if (value < 0 || value > (int)opt_in_limit)
        return set_error(cudaErrorInvalidValue);
    dynamic_limits[kernel] = (unsigned)value;
    any_dynamic_limit = std::max(any_dynamic_limit, (unsigned)value);
    return cudaSuccess;
}

// By threads, blocks and shared memory; the registers of a kernel are known to nvcc alone, and taken to be at most 32.
cudaError_t active_blocks(int *blocks, const void *, int threads, size_t shared)
{
    if (threads <= 0 || threads > (int)most_threads || shared > opt_in_limit)
        return set_error(cudaErrorInvalidValue);
    int by_threads = 2048 / ((threads + 31) / 32 * 32);
    int by_shared = (int)((228u << 10) / (shared + (1 << 10)));
    *blocks = std::min({32, by_threads, by_shared});
    return cudaSuccess;
}

}  // namespace mlsys
